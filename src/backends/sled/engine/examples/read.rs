//! What bench/sled compares the reader with: the engine itself, opened and walked through, with
//! nothing of ours in between. Prints seconds, entries and bytes.

use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: read PATH")?;
    let begun = Instant::now();
    let db = sled::Config::new().path(path).flush_every_ms(None).open()?;
    let (mut entries, mut bytes) = (0u64, 0u64);
    for name in db.tree_names() {
        for entry in &db.open_tree(name)? {
            let (key, value) = entry?;
            entries += 1;
            bytes += (key.len() + value.len()) as u64;
        }
    }
    println!("{:.3} {} {}", begun.elapsed().as_secs_f64(), entries, bytes);
    Ok(())
}

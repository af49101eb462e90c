//! Flushes that return, whatever the disk does.
//!
//! When the write that ends a batch fails, the engine keeps the error and wakes nobody
//! (`Log::exit_reservation`): a flush that waits by then would wait for ever. But each flush looks
//! for an error before it waits, and wakes all others when there is one. So another is sent after a
//! flush that lasts, and again in growing intervals. On a disk that is merely slow they all return
//! with the first.

use crate::fault::Fault;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_millis(100);
const STACK: usize = 256 * 1024; // of the threads here; a flush is shallow

#[derive(Default)]
struct Turn {
    running: usize, // flushes now
    began: Option<Instant>,
    asleep: bool, // the watch waits to be told
    over: bool,
}

#[derive(Default)]
struct Shared {
    turn: Mutex<Turn>,
    told: Condvar,
}

impl Shared {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        let mut turn = self.turn();
        turn.running += 1;
        if turn.running == 1 {
            turn.began = Some(Instant::now());
            if turn.asleep {
                self.told.notify_one();
            }
        }
    }

    fn end(&self) {
        let mut turn = self.turn();
        turn.running -= 1;
        if turn.running == 0 {
            turn.began = None;
        }
    }
}

/// What flushes a database, and watches over it.
pub struct Flusher {
    db: sled::Db,
    shared: Arc<Shared>,
    watch: Option<JoinHandle<()>>,
}

impl Flusher {
    pub fn start(db: &sled::Db) -> io::Result<Flusher> {
        let shared = Arc::new(Shared::default());
        let (watched, by) = (db.clone(), Arc::clone(&shared));
        let watch = Builder::new()
            .name("sled-watch".into())
            .stack_size(STACK)
            .spawn(move || watch(&watched, &by))?;
        Ok(Flusher { db: db.clone(), shared, watch: Some(watch) })
    }

    /// Return when all that was committed has left the engine.
    pub fn flush(&self) -> Result<(), Fault> {
        self.shared.begin();
        let done = self.db.flush();
        self.shared.end();
        done?;
        Ok(())
    }
}

/// The engine flushes when it is dropped, unless it knows that it failed: so it is told before.
impl Drop for Flusher {
    fn drop(&mut self) {
        let _ = self.flush();
        self.shared.turn().over = true;
        self.shared.told.notify_one();
        if let Some(watch) = self.watch.take() {
            let _ = watch.join();
        }
    }
}

fn send_another(db: &sled::Db) {
    let db = db.clone();
    let work = move || drop(db.flush());
    // without a thread now there may be one at the next time
    let _ = Builder::new().name("sled-another".into()).stack_size(STACK).spawn(work);
}

fn watch(db: &sled::Db, shared: &Shared) {
    let mut turn = shared.turn();
    let mut of = None; // the flushes that are watched, by when they began
    let mut wait = PATIENCE;

    while !turn.over {
        let Some(began) = turn.began else {
            turn.asleep = true;
            turn = shared.told.wait(turn).unwrap_or_else(PoisonError::into_inner);
            turn.asleep = false;
            continue;
        };
        if of != Some(began) {
            of = Some(began);
            wait = PATIENCE;
        }
        let lasts = began.elapsed();
        if lasts < wait {
            let left = wait - lasts;
            let woken = shared.told.wait_timeout(turn, left);
            turn = woken.unwrap_or_else(PoisonError::into_inner).0;
        } else {
            wait = lasts + lasts / 2;
            send_another(db);
        }
    }
}

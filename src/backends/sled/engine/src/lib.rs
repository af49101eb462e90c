//! The C ABI of ../../engine.h, function by function; what each promises stands there.
//!
//! # Safety
//! Handles come from the function that opened them and are closed once; views are readable for
//! their length, and `out` and `err` are writable, for the duration of a call.

#![allow(clippy::missing_safety_doc)]

mod fault;
mod flush;
mod scan;

use fault::{at_abi, release, CError, Fault, NONE, OK};
use flush::Flusher;
use scan::{Scan, Scans};
use sled::IVec;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::raw::{c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

/// `lls_bytes`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    data: *const u8,
    len: usize,
}

impl Bytes {
    unsafe fn view<'a>(self) -> &'a [u8] {
        if self.len == 0 {
            return &[];
        }
        std::slice::from_raw_parts(self.data, self.len)
    }

    fn of(bytes: &[u8]) -> Bytes {
        Bytes { data: bytes.as_ptr(), len: bytes.len() }
    }
}

#[repr(C)]
pub struct Options {
    path: Bytes,
    segment_bytes: u64,
    cache_bytes: u64,
    compressed: bool,
}

pub struct Engine {
    db: sled::Db,
    flusher: Arc<Flusher>,
    broken: Arc<AtomicBool>,
}

#[derive(Clone)]
pub struct Tree {
    tree: sled::Tree,
    scans: Arc<Scans>,
    flusher: Arc<Flusher>,
    broken: Arc<AtomicBool>,
}

pub struct Batch {
    on: Tree,
    writes: HashMap<IVec, Option<IVec>>,
}

pub struct OpenScan {
    scan: Scan,
    broken: Arc<AtomicBool>,
}

type Take = unsafe extern "C" fn(user: *mut c_void, value: Bytes);

/// A library prints nothing: what a panic says goes to the caller.
fn be_silent() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

/// After a failed write the engine's memory is ahead of the disk: nothing more comes from it.
fn or_break<T>(broken: &AtomicBool, done: Result<T, Fault>) -> Result<T, Fault> {
    if done.is_err() {
        broken.store(true, Ordering::Release);
    }
    done
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_open(
    options: *const Options,
    out: *mut *mut Engine,
    err: *mut CError,
) -> c_int {
    let options = &*options;
    let broken = Arc::new(AtomicBool::new(false));
    be_silent();
    at_abi(&broken, err, || {
        let db = sled::Config::new()
            .path(OsStr::from_bytes(options.path.view()))
            .segment_size(options.segment_bytes as usize)
            .cache_capacity(options.cache_bytes)
            .use_compression(options.compressed)
            .flush_every_ms(None) // the caller says when
            .open()?;
        let flusher = Arc::new(Flusher::start(&db)?);
        *out = Box::into_raw(Box::new(Engine { db, flusher, broken: Arc::clone(&broken) }));
        Ok(OK)
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_close(engine: *mut Engine) {
    release(engine);
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_flush(engine: *mut Engine, err: *mut CError) -> c_int {
    let engine = &*engine;
    at_abi(&engine.broken, err, || {
        or_break(&engine.broken, engine.flusher.flush())?;
        Ok(OK)
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_tree_open(
    engine: *mut Engine,
    name: Bytes,
    out: *mut *mut Tree,
    err: *mut CError,
) -> c_int {
    let engine = &*engine;
    at_abi(&engine.broken, err, || {
        let tree = or_break(&engine.broken, engine.db.open_tree(name.view()).map_err(Fault::from))?;
        let scans = Arc::new(Scans::default());
        let flusher = Arc::clone(&engine.flusher);
        let broken = Arc::clone(&engine.broken);
        *out = Box::into_raw(Box::new(Tree { tree, scans, flusher, broken }));
        Ok(OK)
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_tree_close(tree: *mut Tree) {
    release(tree);
}

unsafe fn give(found: Option<&IVec>, take: Take, user: *mut c_void) -> c_int {
    match found {
        Some(value) => {
            take(user, Bytes::of(value));
            OK
        }
        None => NONE,
    }
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_get(
    tree: *const Tree,
    key: Bytes,
    take: Take,
    user: *mut c_void,
    err: *mut CError,
) -> c_int {
    let tree = &*tree;
    at_abi(&tree.broken, err, || Ok(give(tree.tree.get(key.view())?.as_ref(), take, user)))
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_batch_open(
    tree: *const Tree,
    out: *mut *mut Batch,
    err: *mut CError,
) -> c_int {
    let tree = &*tree;
    at_abi(&tree.broken, err, || {
        *out = Box::into_raw(Box::new(Batch { on: tree.clone(), writes: HashMap::new() }));
        Ok(OK)
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_batch_close(batch: *mut Batch) {
    release(batch);
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_batch_get(
    batch: *const Batch,
    key: Bytes,
    take: Take,
    user: *mut c_void,
    err: *mut CError,
) -> c_int {
    let batch = &*batch;
    at_abi(&batch.on.broken, err, || match batch.writes.get(key.view()) {
        Some(written) => Ok(give(written.as_ref(), take, user)),
        None => Ok(give(batch.on.tree.get(key.view())?.as_ref(), take, user)),
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_batch_put(
    batch: *mut Batch,
    key: Bytes,
    value: Bytes,
    err: *mut CError,
) -> c_int {
    let batch = &mut *batch;
    at_abi(&batch.on.broken, err, || {
        batch.writes.insert(key.view().into(), Some(value.view().into()));
        Ok(OK)
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_batch_delete(
    batch: *mut Batch,
    key: Bytes,
    err: *mut CError,
) -> c_int {
    let batch = &mut *batch;
    at_abi(&batch.on.broken, err, || {
        batch.writes.insert(key.view().into(), None);
        Ok(OK)
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_batch_commit(batch: *mut Batch, err: *mut CError) -> c_int {
    let batch = &mut *batch;
    at_abi(&batch.on.broken, err, || {
        if !batch.writes.is_empty() {
            // a commit keeps flushes out: if it had to wait for an earlier one, none could wake it
            or_break(&batch.on.broken, batch.on.flusher.flush())?;
            let done = batch.on.scans.commit(&batch.on.tree, batch.writes.drain());
            or_break(&batch.on.broken, done)?;
        }
        Ok(OK)
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_scan_open(
    tree: *const Tree,
    from: Bytes,
    to: Bytes,
    out: *mut *mut OpenScan,
    err: *mut CError,
) -> c_int {
    let tree = &*tree;
    at_abi(&tree.broken, err, || {
        let scan = Scan::open(&tree.scans, &tree.tree, from.view(), to.view());
        *out = Box::into_raw(Box::new(OpenScan { scan, broken: Arc::clone(&tree.broken) }));
        Ok(OK)
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_scan_next(
    scan: *mut OpenScan,
    key: *mut Bytes,
    value: *mut Bytes,
    err: *mut CError,
) -> c_int {
    let OpenScan { scan, broken } = &mut *scan;
    at_abi(broken, err, || match scan.next()? {
        Some((k, v)) => {
            *key = Bytes::of(k);
            *value = Bytes::of(v);
            Ok(OK)
        }
        None => Ok(NONE),
    })
}

#[no_mangle]
pub unsafe extern "C" fn sled_engine_scan_close(scan: *mut OpenScan) {
    release(scan);
}

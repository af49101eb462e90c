//! Failures on their way to C: a code, an errno and a text, and the end of every panic.

use std::any::Any;
use std::os::raw::{c_char, c_int};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};

pub const OK: c_int = 0;
pub const NONE: c_int = 1;
const IO: c_int = -1;
const CORRUPT: c_int = -2;
const UNSUPPORTED: c_int = -3;
const BROKEN: c_int = -4;

const TEXT: usize = 256;
const ENOSPC: c_int = 28;

/// `sled_engine_error`.
#[repr(C)]
pub struct CError {
    sys: c_int,
    text: [c_char; TEXT],
}

#[derive(Clone)]
pub struct Fault {
    code: c_int,
    sys: c_int,
    text: String,
}

impl Fault {
    pub fn broken(text: impl Into<String>) -> Fault {
        Fault { code: BROKEN, sys: 0, text: text.into() }
    }

    fn tell(&self, err: *mut CError) -> c_int {
        if let Some(err) = unsafe { err.as_mut() } {
            err.sys = self.sys;
            let mut end = self.text.len().min(TEXT - 1);
            while !self.text.is_char_boundary(end) {
                end -= 1;
            }
            for (at, byte) in self.text.as_bytes()[..end].iter().enumerate() {
                // one line, whatever the engine has to say
                err.text[at] = if byte.is_ascii_control() { b' ' } else { *byte } as c_char;
            }
            err.text[end] = 0;
        }
        self.code
    }
}

impl From<std::io::Error> for Fault {
    fn from(e: std::io::Error) -> Fault {
        let full = e.to_string().contains("No space left");
        let sys = e.raw_os_error().unwrap_or(if full { ENOSPC } else { 0 });
        Fault { code: IO, sys, text: e.to_string() }
    }
}

impl From<sled::Error> for Fault {
    fn from(e: sled::Error) -> Fault {
        match e {
            sled::Error::Io(e) => e.into(),
            sled::Error::Corruption { .. } => {
                Fault { code: CORRUPT, sys: 0, text: "a checksum is wrong".into() }
            }
            sled::Error::Unsupported(text) => Fault { code: UNSUPPORTED, sys: 0, text },
            sled::Error::ReportableBug(text) => Fault::broken(text),
            sled::Error::CollectionNotFound(_) => Fault::broken("a tree is gone"),
        }
    }
}

fn text_of(panic: Box<dyn Any + Send>) -> String {
    let said = panic.downcast_ref::<&str>().map(|s| s.to_string());
    said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".into())
}

/// Run `work` for C. A panic ends here, and `broken` remembers it.
pub fn at_abi<F>(broken: &AtomicBool, err: *mut CError, work: F) -> c_int
where
    F: FnOnce() -> Result<c_int, Fault>,
{
    if broken.load(Ordering::Acquire) {
        return Fault::broken("it failed before: open the database again").tell(err);
    }
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(code)) => code,
        Ok(Err(fault)) => fault.tell(err),
        Err(panic) => {
            broken.store(true, Ordering::Release);
            Fault::broken(text_of(panic)).tell(err)
        }
    }
}

/// Drop what C gives back; nobody is left to be told of a panic.
///
/// # Safety
/// `boxed` is NULL or came from `Box::into_raw`, and is not used again.
pub unsafe fn release<T>(boxed: *mut T) {
    if !boxed.is_null() {
        let owned = Box::from_raw(boxed);
        let _ = catch_unwind(AssertUnwindSafe(move || drop(owned)));
    }
}

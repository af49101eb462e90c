//! Scans that see one moment, over an engine whose iterators do not.
//!
//! Whoever commits puts aside, for each open scan, what stood under the keys it is about to
//! change. A scan shows what was put aside in the place of what it finds. So the engine's iterator
//! may meet a key before or after its change: the scan's answer is the same.

use crate::fault::Fault;
use sled::IVec;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// One moment as far as a scan has not walked over it yet.
struct View {
    passed: Bound<IVec>, // where the scan stands: keys up to here do not matter any more
    to: Option<IVec>,
    aside: BTreeMap<IVec, Option<IVec>>, // None: the key was not there
}

impl View {
    fn wants(&self, key: &IVec) -> bool {
        let ahead = match &self.passed {
            Bound::Excluded(passed) => key > passed,
            Bound::Included(from) => key >= from,
            Bound::Unbounded => true,
        };
        ahead && self.to.as_ref().map_or(true, |to| key < to) && !self.aside.contains_key(key)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The open scans of a tree.
#[derive(Default)]
pub struct Scans(Mutex<Vec<Weak<Mutex<View>>>>);

impl Scans {
    /// Commit `writes`. No scan is opened between putting aside and the change.
    pub fn commit(
        &self,
        tree: &sled::Tree,
        writes: impl Iterator<Item = (IVec, Option<IVec>)>,
    ) -> Result<(), Fault> {
        let mut open = lock(&self.0);
        open.retain(|view| view.strong_count() > 0);
        let views: Vec<_> = open.iter().filter_map(Weak::upgrade).collect();
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            put_aside(&views, tree, &key)?;
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        Ok(tree.apply_batch(batch)?)
    }
}

fn put_aside(views: &[Arc<Mutex<View>>], tree: &sled::Tree, key: &IVec) -> Result<(), Fault> {
    let mut old = None;
    for view in views {
        let mut view = lock(view);
        if view.wants(key) {
            if old.is_none() {
                old = Some(tree.get(key)?);
            }
            view.aside.insert(key.clone(), old.clone().flatten());
        }
    }
    Ok(())
}

pub struct Scan {
    view: Arc<Mutex<View>>,
    iter: sled::Iter,
    ahead: Option<(IVec, IVec)>, // found by the iterator, not shown yet
    found_all: bool,
    failed: Option<Fault>,
    shown: Option<(IVec, IVec)>, // what C looks at
}

impl Scan {
    pub fn open(scans: &Scans, tree: &sled::Tree, from: &[u8], to: &[u8]) -> Scan {
        let mut open = lock(&scans.0);
        let to = if to.is_empty() { None } else { Some(IVec::from(to)) };
        let end = to.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let begin = Bound::Included(IVec::from(from));
        let view = View { passed: begin.clone(), to, aside: BTreeMap::new() };
        let view = Arc::new(Mutex::new(view));
        open.push(Arc::downgrade(&view));
        Scan {
            view,
            iter: tree.range::<IVec, _>((begin, end)),
            ahead: None,
            found_all: false,
            failed: None,
            shown: None,
        }
    }

    fn look_ahead(&mut self) -> Result<(), Fault> {
        if self.ahead.is_none() && !self.found_all {
            self.ahead = self.iter.next().transpose()?;
            self.found_all = self.ahead.is_none();
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<(IVec, IVec)>, Fault> {
        let shared = Arc::clone(&self.view);
        let mut view = lock(&shared);
        loop {
            self.look_ahead()?;
            let aside = view.aside.keys().next();
            let aside_first = match (aside, &self.ahead) {
                (None, None) => return Ok(None),
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some(aside), Some((found, _))) => aside <= found,
            };
            if !aside_first {
                let found = self.ahead.take();
                view.passed = Bound::Excluded(found.as_ref().expect("looked ahead").0.clone());
                return Ok(found);
            }
            let (key, was) = view.aside.pop_first().expect("it has a first key");
            if self.ahead.as_ref().map_or(false, |(found, _)| *found == key) {
                self.ahead = None;
            }
            view.passed = Bound::Excluded(key.clone());
            if let Some(was) = was {
                return Ok(Some((key, was)));
            }
        }
    }

    /// The next key and value; they live until the next call.
    pub fn next(&mut self) -> Result<Option<&(IVec, IVec)>, Fault> {
        if let Some(fault) = &self.failed {
            return Err(fault.clone());
        }
        match self.step() {
            Ok(found) => self.shown = found,
            Err(fault) => {
                self.failed = Some(fault.clone());
                return Err(fault);
            }
        }
        Ok(self.shown.as_ref())
    }
}

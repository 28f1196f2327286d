//! Which rows a request selects, in order, and a small cache of it: the pages of one read ask the same again and again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many selections are kept.
const KEPT: usize = 8;

/// Rows in the order asked for.
#[derive(Clone, Debug)]
pub enum Selection<'a> {
    /// A part of an index, read forwards or backwards.
    Index {
        part: &'a [(i64, u32)],
        descending: bool,
    },
    /// Rows put together for this request.
    Rows(Arc<Vec<u32>>),
}

impl Selection<'_> {
    pub fn len(&self) -> usize {
        match self {
            Selection::Index { part, .. } => part.len(),
            Selection::Rows(rows) => rows.len(),
        }
    }

    /// The rows of a window `[from, to)`.
    pub fn window(&self, from: usize, to: usize) -> Vec<u32> {
        let len = self.len();
        let (from, to) = (from.min(len), to.min(len));
        match self {
            Selection::Index {
                part,
                descending: false,
            } => part
                .get(from..to)
                .unwrap_or_default()
                .iter()
                .map(|(_, row)| *row)
                .collect(),
            Selection::Index {
                part,
                descending: true,
            } => part
                .get(len - to..len - from)
                .unwrap_or_default()
                .iter()
                .rev()
                .map(|(_, row)| *row)
                .collect(),
            Selection::Rows(rows) => rows.get(from..to).unwrap_or_default().to_vec(),
        }
    }
}

#[derive(Debug)]
struct Kept {
    key: String,
    revision: u64,
    rows: Arc<Vec<u32>>,
}

/// The last selections, each valid for one revision of the tenant.
#[derive(Debug, Default)]
pub struct SelectionCache(Mutex<VecDeque<Kept>>);

impl SelectionCache {
    pub fn get_or(
        &self,
        key: String,
        revision: u64,
        select: impl FnOnce() -> Vec<u32>,
    ) -> Arc<Vec<u32>> {
        {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = kept
                .iter()
                .find(|kept| kept.revision == revision && kept.key == key)
            {
                return Arc::clone(&found.rows);
            }
        }
        let rows = Arc::new(select());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.key != key);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept {
            key,
            revision,
            rows: Arc::clone(&rows),
        });
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_window_is_the_same_from_an_index_as_from_rows(len in 0_usize..50, from in 0_usize..70, size in 0_usize..20, descending: bool) {
            let index: Vec<(i64, u32)> = (0..len as u32).map(|row| (i64::from(row) / 3, row)).collect();
            let mut rows: Vec<u32> = (0..len as u32).collect();
            if descending {
                rows.reverse();
            }
            let by_index = Selection::Index { part: &index, descending };
            let by_rows = Selection::Rows(Arc::new(rows));
            prop_assert_eq!(by_index.window(from, from + size), by_rows.window(from, from + size));
            prop_assert_eq!(by_index.len(), by_rows.len());
        }
    }

    #[test]
    fn a_selection_is_made_once_per_key_and_revision() {
        let cache = SelectionCache::default();
        let made = std::cell::Cell::new(0);
        let select = || {
            made.set(made.get() + 1);
            vec![1, 2]
        };
        cache.get_or("a".into(), 1, select);
        cache.get_or("a".into(), 1, select);
        assert_eq!(made.get(), 1);
        cache.get_or("a".into(), 2, select);
        cache.get_or("b".into(), 2, select);
        assert_eq!(made.get(), 3);
        for other in 0..KEPT {
            cache.get_or(format!("other {other}"), 2, Vec::new);
        }
        cache.get_or("a".into(), 2, select);
        assert_eq!(made.get(), 4, "the oldest was dropped");
    }
}

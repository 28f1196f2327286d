//! What can't be carried of a record, each thing told once.

use crate::contract::Problem;
use std::collections::BTreeSet;

/// How many problems of one record are told one by one.
const MOST_PROBLEMS: usize = 100;

/// The problems of a record, each told once.
#[derive(Default)]
pub(super) struct Problems {
    told: Vec<Problem>,
    seen: BTreeSet<(String, String)>,
    more: usize,
}

impl Problems {
    pub(super) fn tell(&mut self, pointer: String, message: String) {
        if !self.seen.insert((pointer.clone(), message.clone())) {
            return;
        }
        if self.told.len() < MOST_PROBLEMS {
            self.told.push(Problem { pointer, message });
        } else {
            self.more += 1;
        }
    }

    pub(super) fn end(mut self) -> Vec<Problem> {
        if self.more > 0 {
            let message = format!("and {} more problems in this record", self.more);
            self.told.push(Problem {
                pointer: String::new(),
                message,
            });
        }
        self.told
    }
}

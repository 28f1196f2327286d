//! A sync can't go on for ever: steps that bring nothing are bounded, and so are all of them together.

use crate::contract::connector::Step;
use crate::engine::Limits;

/// The steps of a run so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bounds {
    steps: u64,
    idle: u64,
}

impl Bounds {
    /// Counts a step before it is committed. The error is the name of the limit that it goes beyond.
    pub(super) fn count(
        &mut self,
        step: &Step,
        last_checkpoint: Option<&[u8]>,
        limits: &Limits,
    ) -> Result<(), &'static str> {
        let brings_records = !step.entries.is_empty()
            || !step.closures.is_empty()
            || !step.quarantine.is_empty()
            || !step.confirmed.is_empty();
        let goes_on = last_checkpoint != Some(step.checkpoint.as_slice());
        self.idle = if brings_records || goes_on {
            0
        } else {
            self.idle.saturating_add(1)
        };
        self.steps = self.steps.saturating_add(1);
        if self.idle > limits.idle_steps {
            return Err("idle-steps");
        }
        if self.steps > limits.sync_steps {
            return Err("sync-steps");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(confirmed: &[&str], checkpoint: &str) -> Step {
        Step {
            entries: vec![],
            closures: vec![],
            quarantine: vec![],
            confirmed: confirmed.iter().map(|key| (*key).to_owned()).collect(),
            skipped: vec![("tags".to_owned(), 3)],
            checkpoint: checkpoint.as_bytes().to_vec(),
            read: 0,
            expected: None,
            note: None,
        }
    }

    fn limits() -> Limits {
        Limits {
            idle_steps: 3,
            sync_steps: 10,
            ..Limits::default()
        }
    }

    #[test]
    fn steps_without_a_record_or_a_new_checkpoint_are_bounded() {
        let mut bounds = Bounds::default();
        let (limits, last) = (limits(), Some(&b"1"[..]));
        for _ in 0..3 {
            assert_eq!(bounds.count(&step(&[], "1"), last, &limits), Ok(()));
        }
        assert_eq!(
            bounds.count(&step(&[], "1"), last, &limits),
            Err("idle-steps")
        );
    }

    #[test]
    fn a_record_or_a_new_checkpoint_begins_the_count_anew() {
        for useful in [step(&["k"], "1"), step(&[], "2")] {
            let mut bounds = Bounds::default();
            let (limits, last) = (limits(), Some(&b"1"[..]));
            for _ in 0..2 {
                for _ in 0..3 {
                    assert_eq!(bounds.count(&step(&[], "1"), last, &limits), Ok(()));
                }
                assert_eq!(bounds.count(&useful, last, &limits), Ok(()));
            }
        }
    }

    #[test]
    fn the_steps_of_a_run_are_bounded_whatever_they_bring() {
        let mut bounds = Bounds::default();
        for n in 0..10 {
            let step = step(&["k"], &n.to_string());
            assert_eq!(bounds.count(&step, None, &limits()), Ok(()));
        }
        assert_eq!(
            bounds.count(&step(&["k"], "x"), None, &limits()),
            Err("sync-steps")
        );
    }
}

//! Whether what was read of a slice is all of it.

use super::edges::{Edge, hash, key_of};
use super::state::{Current, Done, Part};
use super::{ATTEMPTS, Sliced};
use crate::api;
use crate::contract::Fault;
use crate::contract::log::Level;
use crate::platform::Platform;

impl<P: Platform> Sliced<P> {
    /// Reads the current slice again because of a doubt, a bounded number of times; false where it was read often enough.
    pub(super) async fn again(&mut self, current: &Current, problem: &str) -> bool {
        self.warn(problem, current.attempt);
        if current.attempt >= ATTEMPTS {
            return false;
        }
        self.state.current = Some(Current::new(current.range, current.attempt + 1));
        self.abandon().await;
        true
    }

    pub(super) fn warn(&self, problem: &str, attempt: u8) {
        self.client.platform().log(
            Level::Warn,
            problem,
            &[
                ("data-stream", self.listing.stream.name().to_owned()),
                ("attempt", attempt.to_string()),
            ],
        );
    }

    pub(super) fn doubt(&mut self, problem: String) {
        if !self.state.reasons.contains(&problem) {
            self.state.reasons.push(problem);
        }
    }

    /// Judges a slice whose last page is read: it is done, or read again, or its reasons are noted.
    pub(super) async fn end_slice(
        &mut self,
        short: bool,
        last_total: Option<u64>,
    ) -> Result<(), Fault> {
        let Some(current) = self.state.current.clone() else {
            return Ok(());
        };
        let late = self.state.part == Part::All
            && current
                .range
                .from
                .is_some_and(|from| from > self.state.started);
        let lost = current.read == 0 && !current.empty && !late;
        if lost && current.attempt < ATTEMPTS {
            // Nothing at all may be a reply that lost its list: it is believed the second time.
            self.state.current = Some(Current {
                empty: true,
                ..Current::new(current.range, current.attempt + 1)
            });
            self.abandon().await;
            return Ok(());
        }
        let problem = if lost {
            Some(format!(
                "The slice {} gave records when it was read before, and none at last.",
                current.range.name()
            ))
        } else {
            self.problem(&current, short, last_total).await?
        };
        if let Some(problem) = &problem
            // Past the last offset nothing comes, however often it is asked for.
            && short
            && self.again(&current, problem).await
        {
            return Ok(());
        }
        self.state.done.push(Done {
            name: current.range.name(),
            read: current.read,
            said: current.said.or(last_total),
            ended_short: short,
            second_look: problem.is_none(),
            late,
        });
        if let Some(problem) = problem {
            self.doubt(problem);
        }
        self.state.current = None;
        self.abandon().await;
        Ok(())
    }

    /// What speaks against taking the slice for whole.
    async fn problem(
        &self,
        current: &Current,
        short: bool,
        last_total: Option<u64>,
    ) -> Result<Option<String>, Fault> {
        let limits = self.listing.limits;
        let name = current.range.name();
        if !short {
            return Ok(Some(format!(
                "More records lie in the time from {name} than the API pages ({}); the rest of them is missing.",
                limits.last_offset
            )));
        }
        // A heartbeat during the sweep adds to what it lists. That is no loss: the pages overlap, and the next sweep reads it.
        let grows = self.state.part == Part::Sweep;
        if let (Some(first), Some(last)) = (current.said, last_total)
            && first != last
            && !grows
        {
            return Ok(Some(format!(
                "The total of the slice {name} changed while it was read, from {first} to {last}."
            )));
        }
        let said = current.said.or(last_total);
        let differs = said.is_some_and(|said| match limits.count(Some(said)) {
            Some(count) if grows => current.read < count,
            Some(count) => current.read != count,
            // The cap stands for as many or more.
            None => current.read < limits.capped,
        });
        if differs {
            return Ok(Some(format!(
                "The API says that the slice {name} has {} records, and gave {}.",
                shown(said),
                current.read
            )));
        }
        if limits.count(said).is_some() || current.read == 0 {
            return Ok(None);
        }
        // Without a count: its end was looked at twice, by the page that begins with its last record. So is its beginning.
        let page = self.ask(current.range, 0, 1).await?.value;
        let first = page
            .records
            .first()
            .map(|record| hash(&key_of(record, self.listing.key)));
        Ok((first != current.first.as_ref().map(Edge::hash)).then(|| {
            format!(
                "The slice {name} does not begin with the same record when it is asked for again."
            )
        }))
    }

    /// An API that ignores the offset would give the same page for ever.
    pub(super) fn same_page(&self) -> Fault {
        let call = self.call();
        api::Fault::new(
            call,
            Some(200),
            api::FaultKind::WrongShape,
            format!(
                "{} gave the same page twice although the next one was asked for.",
                call.name()
            ),
            "Try again later; if it stays, report it with the tenant's product version.",
        )
        .into()
    }
}

pub(super) fn shown(total: Option<u64>) -> String {
    total.map_or_else(|| "unknown".to_owned(), |total| total.to_string())
}

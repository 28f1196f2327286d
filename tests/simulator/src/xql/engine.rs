//! Queries that were started, and the day's quota.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::eval::Table;
use crate::options::{Options, XqlOutcome};
use crate::tenant::mix::{Mix, Purpose};

/// How many queries of the API may run at once.
pub const PARALLEL: usize = 4;

/// How many finished queries are remembered with their results.
const REMEMBERED: usize = 16;

/// When a query that nobody asks for stops counting as running.
const ABANDONED: Duration = Duration::from_secs(600);

/// The most rows that a query answers (the API's maximum).
pub const MAX_RESULTS: usize = 1_000_000;

/// Compute units per query and per row that it reads: 50,000 rows cost 5 units, a sample 0.001 and little more.
const COST_PER_QUERY: f64 = 0.001;
const COST_PER_ROW: f64 = 0.0001;

/// A query and its result.
#[derive(Debug)]
pub struct Started {
    pub id: String,
    pub table: Arc<Table>,
    pub cost: f64,
    pub outcome: XqlOutcome,
    polls_left: u32,
    since: Instant,
}

/// Why a query was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The day's quota is used up.
    Quota,
    /// Too many queries run.
    Parallel,
}

/// The state of XQL in a tenant.
#[derive(Debug)]
pub struct XqlEngine {
    granted: f64,
    used: f64,
    /// The day whose counters these are (they are reset at 00:00 UTC).
    day: i64,
    pending_polls: u32,
    outcome: XqlOutcome,
    seed: u64,
    /// Queries started today.
    pub running_today: u64,
    /// Queries refused today because too many ran.
    pub rejected_today: u64,
    queries: VecDeque<Started>,
    number: u64,
}

impl XqlEngine {
    /// The state at the start, on a day (counted from 1970-01-01).
    pub fn new(options: &Options, day: i64) -> Self {
        XqlEngine {
            granted: options
                .xql_licence_quota
                .unwrap_or(5.0 + options.endpoints as f64 / 1_000.0),
            used: options.xql_quota,
            day,
            pending_polls: options.xql_pending_polls,
            outcome: options.xql_outcome,
            seed: options.seed,
            running_today: 0,
            rejected_today: 0,
            queries: VecDeque::new(),
            number: 0,
        }
    }

    pub fn granted(&self) -> f64 {
        self.granted
    }

    pub fn used(&self) -> f64 {
        self.used
    }

    pub fn set_used(&mut self, used: f64) {
        self.used = used;
    }

    pub fn remaining(&self) -> f64 {
        (self.granted - self.used).max(0.0)
    }

    /// Resets the counters when another day has begun.
    pub fn at_day(&mut self, day: i64) {
        if day != self.day {
            (self.day, self.used, self.running_today, self.rejected_today) = (day, 0.0, 0, 0);
        }
    }

    /// Number of queries that run now.
    pub fn running(&self) -> usize {
        self.queries
            .iter()
            .filter(|query| query.polls_left > 0 && query.since.elapsed() < ABANDONED)
            .count()
    }

    /// Whether another query may start now.
    pub fn admit(&mut self) -> Result<(), Refused> {
        if self.used >= self.granted {
            return Err(Refused::Quota);
        }
        if self.running() >= PARALLEL {
            self.rejected_today += 1;
            return Err(Refused::Parallel);
        }
        Ok(())
    }

    /// Starts a query whose result is known already and that read so many rows. Returns its id.
    pub fn start(&mut self, mut table: Table, read: usize) -> Result<String, Refused> {
        self.admit()?;
        self.number += 1;
        self.running_today += 1;
        let keep = if self.outcome == XqlOutcome::PartialSuccess {
            table.rows.len() / 2
        } else {
            MAX_RESULTS
        };
        table.rows.truncate(keep.min(MAX_RESULTS));
        let cost = COST_PER_QUERY + COST_PER_ROW * read as f64;
        self.used += cost;
        let random = Mix::new(self.seed, Purpose::Action, self.number).next() >> 8;
        let id = format!("{random:014x}_{}_inv", self.number);
        if self.queries.len() >= REMEMBERED {
            self.queries.pop_front();
        }
        self.queries.push_back(Started {
            id: id.clone(),
            table: Arc::new(table),
            cost,
            outcome: self.outcome,
            polls_left: self.pending_polls,
            since: Instant::now(),
        });
        Ok(id)
    }

    /// Asks for a query; `wait`: until it is done. `None` when it is unknown, `Some(None)` while it runs.
    pub fn poll(&mut self, id: &str, wait: bool) -> Option<Option<&Started>> {
        let query = self.queries.iter_mut().find(|query| query.id == id)?;
        if wait {
            query.polls_left = 0;
        }
        if query.polls_left > 0 {
            query.polls_left -= 1;
            return Some(None);
        }
        Some(Some(query))
    }

    /// Forgets a query, its stream too.
    pub fn forget(&mut self, id: &str) {
        self.queries.retain(|query| query.id != id);
    }

    /// Lets a query end in another way. Of a partial success the second half of the rows is missing.
    pub fn spoil(&mut self, id: &str, outcome: XqlOutcome) {
        let Some(query) = self.queries.iter_mut().find(|query| query.id == id) else {
            return;
        };
        if outcome == XqlOutcome::PartialSuccess && query.outcome != outcome {
            let mut table = Table::clone(&query.table);
            table.rows.truncate(table.rows.len() / 2);
            query.table = Arc::new(table);
        }
        query.outcome = outcome;
    }

    /// The rows behind a stream's id.
    pub fn stream(&self, stream_id: &str) -> Option<Arc<Table>> {
        let id = stream_id.strip_suffix(STREAM)?;
        self.queries
            .iter()
            .find(|query| query.id == id)
            .map(|query| Arc::clone(&query.table))
    }
}

/// What a query's id ends with when it names the stream of its rows.
pub const STREAM: &str = "_stream";

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(options: Options) -> XqlEngine {
        XqlEngine::new(&options, 20_000)
    }

    #[test]
    fn four_queries_run_at_once_and_the_fifth_waits_for_one_to_end() {
        let mut engine = engine(Options {
            xql_pending_polls: 1,
            ..Options::default()
        });
        let ids: Vec<String> = (0..4)
            .map(|_| engine.start(Table::default(), 10).unwrap())
            .collect();
        assert_eq!(engine.start(Table::default(), 10), Err(Refused::Parallel));
        assert!(engine.poll(&ids[0], false).unwrap().is_none());
        assert!(engine.poll(&ids[0], false).unwrap().is_some());
        assert!(engine.start(Table::default(), 10).is_ok());
        assert_eq!((engine.running_today, engine.rejected_today), (5, 1));
    }

    #[test]
    fn the_quota_is_used_up_by_rows_and_is_new_the_next_day() {
        let mut engine = engine(Options {
            xql_licence_quota: Some(1.0),
            xql_quota: 0.5,
            ..Options::default()
        });
        engine.start(Table::default(), 6_000).unwrap();
        assert!((engine.used() - 1.101).abs() < 1e-9);
        assert_eq!(engine.start(Table::default(), 0), Err(Refused::Quota));
        engine.at_day(20_001);
        assert!(engine.start(Table::default(), 0).is_ok());
    }

    #[test]
    fn a_query_can_be_forgotten_and_spoiled() {
        let mut engine = engine(Options {
            xql_pending_polls: 0,
            ..Options::default()
        });
        let rows = || {
            Table::new(
                &["n"],
                (0..10).map(|_| vec![crate::xql::value::Value::Null]),
            )
        };
        let (one, two) = (
            engine.start(rows(), 10).unwrap(),
            engine.start(rows(), 10).unwrap(),
        );
        engine.forget(&one);
        assert!(engine.poll(&one, true).is_none());
        engine.spoil(&two, XqlOutcome::PartialSuccess);
        engine.spoil(&two, XqlOutcome::PartialSuccess);
        let query = engine.poll(&two, true).unwrap().unwrap();
        assert_eq!(
            (query.table.rows.len(), query.outcome),
            (5, XqlOutcome::PartialSuccess)
        );
    }

    #[test]
    fn only_so_many_queries_are_remembered() {
        let mut engine = engine(Options {
            xql_pending_polls: 0,
            ..Options::default()
        });
        let ids: Vec<String> = (0..=REMEMBERED)
            .map(|_| engine.start(Table::default(), 0).unwrap())
            .collect();
        assert!(engine.poll(&ids[0], true).is_none());
        assert!(engine.poll(&ids[1], true).is_some());
        assert!(engine.stream(&format!("{}{STREAM}", ids[1])).is_some());
        assert!(engine.stream(&ids[1]).is_none());
    }
}

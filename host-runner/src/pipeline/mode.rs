//! Full or incremental, and why.

use super::job::ModeChoice;
use crate::domain::{DataStreamName, Mode, Timestamp};
use crate::store::{Connection, SyncHistory};

/// What the choice follows from, beside the history.
#[derive(Debug, Clone)]
pub struct Due<'a> {
    /// What the user asks for.
    pub choice: ModeChoice,
    /// Whether the connector reads this data stream incrementally.
    pub incremental: bool,
    /// What narrows the data stream now.
    pub scope: &'a str,
    /// Days between full syncs.
    pub full_every_days: u16,
    /// Now.
    pub now: Timestamp,
}

/// Days between full syncs where the connection does not say.
const FULL_EVERY_DAYS: u16 = 7;

impl<'a> Due<'a> {
    /// What the choice for a data stream of a connection follows from.
    pub fn of(
        connection: &'a Connection,
        stream: &DataStreamName,
        choice: ModeChoice,
        incremental: bool,
        now: Timestamp,
    ) -> Self {
        Self {
            choice,
            incremental,
            scope: connection.scope_of(stream),
            full_every_days: connection
                .policy
                .full_sync_every_days
                .unwrap_or(FULL_EVERY_DAYS),
            now,
        }
    }
}

/// The mode, and why it was chosen: kept with the run and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Full or incremental.
    pub mode: Mode,
    /// For a person.
    pub reason: String,
}

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Chooses the mode of the next sync of a data stream.
///
/// # Errors
/// Where an incremental sync is asked for and can't be had: a sentence that says why.
pub fn choose(history: &SyncHistory, due: &Due<'_>) -> Result<Chosen, String> {
    let full = |reason: &str| {
        Ok(Chosen {
            mode: Mode::Full,
            reason: reason.to_owned(),
        })
    };
    match due.choice {
        ModeChoice::Full => return full("asked for"),
        ModeChoice::Incremental if !due.incremental => {
            return Err(
                "this connector reads this data stream only in full: ask for --mode full"
                    .to_owned(),
            );
        }
        ModeChoice::Incremental if !history.has_incremental_checkpoint => {
            return Err(
                "there was no complete sync yet to go on from: ask for --mode full first"
                    .to_owned(),
            );
        }
        ModeChoice::Incremental => {
            return Ok(Chosen {
                mode: Mode::Incremental,
                reason: "asked for".to_owned(),
            });
        }
        ModeChoice::Auto => {}
    }
    if !due.incremental {
        return full("the connector reads this data stream only in full");
    }
    if let Some((_, scope)) = &history.interrupted_full
        && scope == due.scope
    {
        return full("goes on with an interrupted full sync");
    }
    let Some(last) = &history.last_complete_full else {
        return full("there was no complete full sync yet");
    };
    if last.scope != due.scope {
        return full("what is read was configured anew");
    }
    if !history.has_incremental_checkpoint {
        return full("there is no checkpoint to go on from");
    }
    // Half an interval early, so that a nightly schedule does not drift to day eight.
    let interval = history.last_finished.as_ref().map_or(0, |finished| {
        due.now.ms_since(finished.started_at).min(DAY_MS)
    });
    let next_full = last
        .started_at
        .plus_ms(u64::from(due.full_every_days) * DAY_MS);
    if due.now.plus_ms(interval / 2) >= next_full {
        return full(&format!(
            "the last full sync is {} old",
            days(due.now.ms_since(last.started_at))
        ));
    }
    Ok(Chosen {
        mode: Mode::Incremental,
        reason: format!(
            "the last full sync is {} old",
            days(due.now.ms_since(last.started_at))
        ),
    })
}

fn days(ms: u64) -> String {
    match ms / DAY_MS {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SyncId;
    use crate::store::FinishedSync;

    const NOW: u64 = 1_000 * DAY_MS;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_ms(ms).unwrap()
    }

    fn finished(mode: Mode, started: u64) -> FinishedSync {
        FinishedSync {
            sync: SyncId(1),
            mode,
            scope: "s".into(),
            started_at: at(started),
            ended_at: at(started + 1),
        }
    }

    fn history(full_started: u64, last_started: u64) -> SyncHistory {
        SyncHistory {
            last_complete_full: Some(finished(Mode::Full, full_started)),
            last_finished: Some(finished(Mode::Incremental, last_started)),
            interrupted_full: None,
            has_incremental_checkpoint: true,
        }
    }

    fn due() -> Due<'static> {
        Due {
            choice: ModeChoice::Auto,
            incremental: true,
            scope: "s",
            full_every_days: 7,
            now: at(NOW),
        }
    }

    fn mode(history: &SyncHistory, due: &Due<'_>) -> Mode {
        choose(history, due).unwrap().mode
    }

    #[test]
    fn the_first_sync_is_full() {
        assert_eq!(mode(&SyncHistory::default(), &due()), Mode::Full);
    }

    #[test]
    fn a_fresh_full_sync_is_followed_by_incremental_ones() {
        assert_eq!(
            mode(&history(NOW - DAY_MS, NOW - DAY_MS), &due()),
            Mode::Incremental
        );
    }

    #[test]
    fn a_nightly_schedule_does_not_drift_to_day_eight() {
        let minute = 60_000;
        let six_and_a_half = NOW - 7 * DAY_MS + minute;
        assert_eq!(
            mode(&history(six_and_a_half, NOW - DAY_MS), &due()),
            Mode::Full
        );
        assert_eq!(
            mode(&history(NOW - 6 * DAY_MS, NOW - DAY_MS), &due()),
            Mode::Incremental
        );
    }

    #[test]
    fn another_scope_asks_for_a_full_sync() {
        let changed = Due {
            scope: "other",
            ..due()
        };
        assert_eq!(mode(&history(NOW - 1, NOW - 1), &changed), Mode::Full);
    }

    #[test]
    fn a_connector_without_incremental_sync_is_read_in_full_and_says_so_when_asked() {
        let only_full = Due {
            incremental: false,
            ..due()
        };
        assert_eq!(mode(&history(NOW - 1, NOW - 1), &only_full), Mode::Full);
        let asked = Due {
            choice: ModeChoice::Incremental,
            ..only_full
        };
        assert!(choose(&history(NOW - 1, NOW - 1), &asked).is_err());
    }
}

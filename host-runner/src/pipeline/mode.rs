//! Full or incremental, and why.

use super::job::ModeChoice;
use super::making::{Part, differences};
use crate::domain::{DataStreamName, Mode, Timestamp};
use crate::store::{Connection, FinishedSync, SyncHistory};

/// What the choice follows from, beside the history.
#[derive(Debug, Clone)]
pub struct Due<'a> {
    /// What the user asks for.
    pub choice: ModeChoice,
    /// Whether the connector reads this data stream incrementally.
    pub incremental: bool,
    /// What narrows the data stream now.
    pub scope: &'a str,
    /// What documents are made with now: see [`super::making`].
    pub made_with: String,
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
        made_with: String,
        now: Timestamp,
    ) -> Self {
        Self {
            choice,
            incremental,
            scope: connection.scope_of(stream),
            made_with,
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
        ModeChoice::Incremental if other_scope(history, due) => {
            return Err(
                "what is read was configured anew since the last complete full sync, so what changed since then is not all that is missing: ask \
                 for --mode full, or leave --mode out"
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
    if other_scope(history, due) {
        return full("what is read was configured anew");
    }
    if !history.has_incremental_checkpoint {
        return full("there is no checkpoint to go on from");
    }
    if let Some(reason) = must_be_read(history, due) {
        return full(&reason);
    }
    if due.now.plus_ms(half_an_interval(history, due)) >= next_full(last, due.full_every_days) {
        return full(&age(last, due.now));
    }
    let interrupted = history
        .interrupted_incremental
        .as_ref()
        .is_some_and(|(_, scope)| scope == due.scope);
    Ok(Chosen {
        mode: Mode::Incremental,
        reason: if interrupted {
            "goes on with an interrupted incremental sync".to_owned()
        } else {
            age(last, due.now)
        },
    })
}

/// When the next full sync of a data stream is due, where there was a complete one.
pub fn full_due(connection: &Connection, history: &SyncHistory) -> Option<Timestamp> {
    let days = connection
        .policy
        .full_sync_every_days
        .unwrap_or(FULL_EVERY_DAYS);
    history
        .last_complete_full
        .as_ref()
        .map(|last| next_full(last, days))
}

fn next_full(last: &FinishedSync, every_days: u16) -> Timestamp {
    last.started_at.plus_ms(u64::from(every_days) * DAY_MS)
}

/// Half an interval early, so that a nightly schedule does not drift to day eight. The interval is the time since the last sync began, since the one
/// that is chosen now begins now: right for a nightly and for an hourly schedule, and a sync by hand in between makes it shorter, never longer. After a
/// pause it is a day, since a schedule that skipped some nights is still a nightly one.
fn half_an_interval(history: &SyncHistory, due: &Due<'_>) -> u64 {
    history.last_finished.as_ref().map_or(0, |finished| {
        due.now.ms_since(finished.started_at).min(DAY_MS) / 2
    })
}

/// Whether another scope than the present one was read since the last complete full sync, or in it.
fn other_scope(history: &SyncHistory, due: &Due<'_>) -> bool {
    history.scopes.iter().any(|scope| scope != due.scope)
}

/// Why records must be read for a change of what documents are made with, where they must. However the last full sync was judged: it tried each record
/// once.
///
/// What is kept is made anew without reading it (see [`super::remake`]). Only three things can't be had so: what another build of the connector
/// keeps of a record beyond what this one kept; users that were left out of what is kept, or that hide more of it than need be; and records that were
/// rejected and are not held, or not as they were rejected.
fn must_be_read(history: &SyncHistory, due: &Due<'_>) -> Option<String> {
    let last = history.last_finished_full.as_ref()?.made_with.as_deref()?;
    let changed = differences(last, &due.made_with);
    if changed.is_empty() {
        return None;
    }
    let anew = [Part::Component, Part::Users]
        .into_iter()
        .find(|part| changed.contains(part));
    if let Some(part) = anew {
        return Some(format!("records are read anew: {} changed", part.as_str()));
    }
    let changed: Vec<&str> = changed.into_iter().map(Part::as_str).collect();
    let changed = changed.join(" and ");
    match history.quarantined {
        0 => None,
        1 => Some(format!(
            "the record in quarantine is tried again: {changed} changed"
        )),
        many => Some(format!(
            "the {many} records in quarantine are tried again: {changed} changed"
        )),
    }
}

fn age(last: &FinishedSync, now: Timestamp) -> String {
    format!(
        "the last full sync is {} old",
        days(now.ms_since(last.started_at))
    )
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
            made_with: Some("m".into()),
        }
    }

    fn history(full_started: u64, last_started: u64) -> SyncHistory {
        SyncHistory {
            last_complete_full: Some(finished(Mode::Full, full_started)),
            last_finished: Some(finished(Mode::Incremental, last_started)),
            last_finished_full: Some(finished(Mode::Full, full_started)),
            last_incremental: None,
            interrupted_full: None,
            interrupted_incremental: None,
            has_incremental_checkpoint: true,
            scopes: vec!["s".into()],
            quarantined: 0,
        }
    }

    fn due() -> Due<'static> {
        Due {
            choice: ModeChoice::Auto,
            incremental: true,
            scope: "s",
            made_with: "m".into(),
            full_every_days: 7,
            now: at(NOW),
        }
    }

    fn mode(history: &SyncHistory, due: &Due<'_>) -> Mode {
        choose(history, due).unwrap().mode
    }

    fn reason(history: &SyncHistory, due: &Due<'_>) -> String {
        choose(history, due).unwrap().reason
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

    /// The days of the full syncs where one sync begins each `interval`, `jitter` around its time, for 30 days.
    fn full_days(interval: u64, jitter: impl Fn(u64) -> u64) -> Vec<u64> {
        let start = 100 * DAY_MS;
        let mut history = SyncHistory::default();
        let mut days = Vec::new();
        for turn in 0..(30 * DAY_MS / interval) {
            let now = start + turn * interval + jitter(turn);
            let chosen = choose(
                &history,
                &Due {
                    now: at(now),
                    ..due()
                },
            )
            .unwrap();
            history.last_finished = Some(finished(chosen.mode, now));
            if chosen.mode == Mode::Full {
                history.last_complete_full = Some(finished(Mode::Full, now));
                history.last_finished_full = Some(finished(Mode::Full, now));
                days.push((now - start) / DAY_MS);
            }
            history.has_incremental_checkpoint = true;
            history.scopes = vec!["s".into()];
        }
        days
    }

    #[test]
    fn a_nightly_schedule_does_not_drift_to_day_eight() {
        let minute = 60_000;
        let begins_late_now_and_then = |night: u64| (night * 7 % 11) * minute;
        assert_eq!(
            full_days(DAY_MS, begins_late_now_and_then),
            [0, 7, 14, 21, 28]
        );
    }

    #[test]
    fn an_hourly_schedule_is_full_every_seven_days_to_the_hour() {
        let hour = 60 * 60 * 1_000;
        let late = |turn: u64| (turn * 7 % 11) * 60_000;
        assert_eq!(full_days(hour, late), [0, 7, 14, 21, 28]);
    }

    #[test]
    fn a_weekly_schedule_is_always_full() {
        assert_eq!(full_days(7 * DAY_MS, |_| 0).len(), 4);
    }

    #[test]
    fn a_nightly_schedule_that_skipped_some_nights_is_still_a_nightly_one() {
        let days = |days: u64| NOW - days * DAY_MS;
        assert_eq!(mode(&history(days(5), days(4)), &due()), Mode::Incremental);
        assert_eq!(mode(&history(days(7), days(4)), &due()), Mode::Full);
    }

    #[test]
    fn a_sync_by_hand_an_hour_before_does_not_make_the_nightly_one_miss_its_turn() {
        let minute = 60_000;
        let full = NOW - 7 * DAY_MS + minute;
        assert_eq!(mode(&history(full, NOW - 60 * minute), &due()), Mode::Full);
    }

    #[test]
    fn another_scope_asks_for_a_full_sync_and_an_incremental_one_is_refused() {
        let changed = Due {
            scope: "other",
            ..due()
        };
        let history = history(NOW - 1, NOW - 1);
        assert_eq!(
            choose(&history, &changed),
            Ok(Chosen {
                mode: Mode::Full,
                reason: "what is read was configured anew".into()
            })
        );
        let asked = Due {
            choice: ModeChoice::Incremental,
            ..changed
        };
        assert!(
            choose(&history, &asked)
                .unwrap_err()
                .contains("--mode full")
        );
    }

    #[test]
    fn a_scope_that_was_another_one_for_a_while_asks_for_a_full_sync() {
        let mut there_and_back = history(NOW - 1, NOW - 1);
        there_and_back.scopes.push("other".into());
        assert_eq!(mode(&there_and_back, &due()), Mode::Full);
    }

    /// What documents are made with, where these parts are so.
    fn made(map: &str, component: &str, users: u8) -> String {
        format!("{map}-{component}-11-fields-{users}")
    }

    #[test]
    fn what_is_in_quarantine_is_tried_again_once_where_it_may_read_well_now() {
        let mut history = history(NOW - 1, NOW - 1);
        let last = |made_with: Option<String>| {
            Some(FinishedSync {
                made_with,
                ..finished(Mode::Full, NOW - 1)
            })
        };
        history.last_finished_full = last(Some(made("one", "build", 0)));
        let other_map = Due {
            made_with: made("other", "build", 0),
            ..due()
        };
        // What is kept is made anew without reading it.
        assert_eq!(mode(&history, &other_map), Mode::Incremental);
        history.quarantined = 2;
        assert_eq!(mode(&history, &other_map), Mode::Full);
        assert_eq!(
            reason(&history, &other_map),
            "the 2 records in quarantine are tried again: the map changed"
        );
        let same = Due {
            made_with: made("one", "build", 0),
            ..due()
        };
        assert_eq!(mode(&history, &same), Mode::Incremental);
        // A full sync that was not proven complete tried them all the same.
        history.last_finished_full = last(Some(made("other", "build", 0)));
        assert_eq!(mode(&history, &other_map), Mode::Incremental);
        // What an older build of the host did not say is no reason.
        history.last_finished_full = last(None);
        assert_eq!(mode(&history, &other_map), Mode::Incremental);
    }

    #[test]
    fn what_can_not_be_made_of_kept_records_is_read() {
        let mut history = history(NOW - 1, NOW - 1);
        history.last_finished_full = Some(FinishedSync {
            made_with: Some(made("one", "build", 0)),
            ..finished(Mode::Full, NOW - 1)
        });
        for (made_with, told) in [
            (made("one", "other", 0), "the connector's build changed"),
            (
                made("one", "build", 1),
                "whether users are left out changed",
            ),
            (
                "of an earlier form".to_owned(),
                "the connector's build changed",
            ),
        ] {
            let due = Due { made_with, ..due() };
            assert_eq!(mode(&history, &due), Mode::Full);
            assert_eq!(
                reason(&history, &due),
                format!("records are read anew: {told}")
            );
        }
    }

    #[test]
    fn an_interrupted_sync_is_gone_on_with_and_a_full_one_that_is_due_goes_first() {
        let mut interrupted = history(NOW - DAY_MS, NOW - DAY_MS);
        interrupted.interrupted_incremental = Some((at(NOW - 1), "s".into()));
        assert_eq!(
            choose(&interrupted, &due()),
            Ok(Chosen {
                mode: Mode::Incremental,
                reason: "goes on with an interrupted incremental sync".into()
            })
        );
        let later = Due {
            now: at(NOW + 7 * DAY_MS),
            ..due()
        };
        assert_eq!(mode(&interrupted, &later), Mode::Full);
        interrupted.interrupted_full = Some((at(NOW - 1), "s".into()));
        assert_eq!(
            reason(&interrupted, &due()),
            "goes on with an interrupted full sync"
        );
        interrupted.interrupted_full = Some((at(NOW - 1), "other".into()));
        assert_eq!(mode(&interrupted, &due()), Mode::Incremental);
    }

    #[test]
    fn a_full_sync_that_is_not_complete_does_not_count() {
        let mut history = history(NOW - 7 * DAY_MS, NOW - 1);
        history.last_finished_full = Some(finished(Mode::Full, NOW - 1));
        history.last_finished = Some(finished(Mode::Full, NOW - 1));
        assert_eq!(mode(&history, &due()), Mode::Full);
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

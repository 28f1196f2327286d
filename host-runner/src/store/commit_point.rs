//! Places on the way of a commit at which a process can be made to die, so that tests prove that nothing is lost or half done there.
//!
//! Only a debug build listens: the environment variable [`VARIABLE`] names a point, or a point and how many times it must be reached
//! (`step-records:3`), and the process ends there at once, with no destructor run and nothing flushed. To whatever is on disk that is the
//! same as SIGKILL. A release build has no trace of it.

use std::fmt;

/// The environment variable that names a point.
pub const VARIABLE: &str = "HOST_RUNNER_KILL_AT";

/// A place on the way of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommitPoint {
    /// A run is on record, and belongs to no sync yet.
    RunBegun,
    /// A sync is on record, begun or taken up again.
    SyncBegun,
    /// A step's transaction is open and has written nothing.
    StepBegun,
    /// A step's assets are written.
    StepAssets,
    /// A step's findings are written.
    StepFindings,
    /// A step's records are written.
    StepRecords,
    /// What a step could not read is written.
    StepQuarantine,
    /// What a step closes is closed.
    StepClosings,
    /// What a step saw is marked as seen.
    StepSeen,
    /// A step's checkpoint and counts are written, and nothing is committed.
    StepCheckpoint,
    /// A step is committed, and nobody was told.
    StepCommitted,
    /// The transaction that ends a sync is open and has written nothing.
    EndBegun,
    /// What a full sync did not see is closed.
    EndClosings,
    /// The sync is marked as ended.
    EndSync,
    /// The checkpoint for the next sync and the counts are written, and nothing is committed.
    EndCheckpoint,
    /// The end of a sync is committed, and its run still counts as under way.
    EndCommitted,
    /// The transaction of a page that is made anew is open and has written nothing.
    RemakeBegun,
    /// The assets of a page that is made anew are written.
    RemakeAssets,
    /// The findings of a page that is made anew are written.
    RemakeFindings,
    /// The records of a page that is made anew are written, and nothing is committed.
    RemakeRecords,
    /// A page that is made anew is committed, and nobody was told.
    RemakeCommitted,
    /// A run is on record as ended.
    RunFinished,
    /// A connection is written, new or changed, and its secrets are not.
    ConnectionRow,
    /// A connection's secrets are written, and nothing is committed.
    ConnectionSecrets,
    /// A connection is committed.
    ConnectionCommitted,
    /// One of the tables that a removed connection has something in is done; reached once per table.
    RemovalTable,
    /// A connection's removal is committed.
    RemovalCommitted,
    /// Users are left out of what is kept, and nothing is committed.
    UsersLeftOut,
    /// Other rules of identification and all keys by them are written, and nothing is committed.
    RulesWritten,
    /// A tenant is marked for erasure, and all of it is there.
    PurgeMarked,
    /// One of a tenant's files or folders is erased; reached once for each.
    PurgeFile,
    /// A new master key is written beside the file of the old ones, and not in its place.
    RotationStaged,
    /// The new master key is in place beside the old ones, and nothing is sealed with it.
    RotationBegun,
    /// A tenant's secrets are sealed anew, and nothing is committed; reached once per tenant.
    ResealWritten,
    /// A tenant's secrets that are sealed anew are committed; reached once per tenant.
    ResealCommitted,
    /// Every secret is sealed with the new master key, and the old ones are still there.
    RotationEnding,
    /// The old master keys are gone.
    RotationEnded,
}

impl CommitPoint {
    /// All of them.
    pub const ALL: [Self; 37] = [
        Self::RunBegun,
        Self::SyncBegun,
        Self::StepBegun,
        Self::StepAssets,
        Self::StepFindings,
        Self::StepRecords,
        Self::StepQuarantine,
        Self::StepClosings,
        Self::StepSeen,
        Self::StepCheckpoint,
        Self::StepCommitted,
        Self::EndBegun,
        Self::EndClosings,
        Self::EndSync,
        Self::EndCheckpoint,
        Self::EndCommitted,
        Self::RemakeBegun,
        Self::RemakeAssets,
        Self::RemakeFindings,
        Self::RemakeRecords,
        Self::RemakeCommitted,
        Self::RunFinished,
        Self::ConnectionRow,
        Self::ConnectionSecrets,
        Self::ConnectionCommitted,
        Self::RemovalTable,
        Self::RemovalCommitted,
        Self::UsersLeftOut,
        Self::RulesWritten,
        Self::PurgeMarked,
        Self::PurgeFile,
        Self::RotationStaged,
        Self::RotationBegun,
        Self::ResealWritten,
        Self::ResealCommitted,
        Self::RotationEnding,
        Self::RotationEnded,
    ];

    /// Its name in the environment variable.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RunBegun => "run-begun",
            Self::SyncBegun => "sync-begun",
            Self::StepBegun => "step-begun",
            Self::StepAssets => "step-assets",
            Self::StepFindings => "step-findings",
            Self::StepRecords => "step-records",
            Self::StepQuarantine => "step-quarantine",
            Self::StepClosings => "step-closings",
            Self::StepSeen => "step-seen",
            Self::StepCheckpoint => "step-checkpoint",
            Self::StepCommitted => "step-committed",
            Self::EndBegun => "end-begun",
            Self::EndClosings => "end-closings",
            Self::EndSync => "end-sync",
            Self::EndCheckpoint => "end-checkpoint",
            Self::EndCommitted => "end-committed",
            Self::RemakeBegun => "remake-begun",
            Self::RemakeAssets => "remake-assets",
            Self::RemakeFindings => "remake-findings",
            Self::RemakeRecords => "remake-records",
            Self::RemakeCommitted => "remake-committed",
            Self::RunFinished => "run-finished",
            Self::ConnectionRow => "connection-row",
            Self::ConnectionSecrets => "connection-secrets",
            Self::ConnectionCommitted => "connection-committed",
            Self::RemovalTable => "removal-table",
            Self::RemovalCommitted => "removal-committed",
            Self::UsersLeftOut => "users-left-out",
            Self::RulesWritten => "rules-written",
            Self::PurgeMarked => "purge-marked",
            Self::PurgeFile => "purge-file",
            Self::RotationStaged => "rotation-staged",
            Self::RotationBegun => "rotation-begun",
            Self::ResealWritten => "reseal-written",
            Self::ResealCommitted => "reseal-committed",
            Self::RotationEnding => "rotation-ending",
            Self::RotationEnded => "rotation-ended",
        }
    }
}

impl fmt::Display for CommitPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Says that a point is reached: the last thing that a process does where it is to die there.
#[cfg(debug_assertions)]
pub(crate) fn reach(point: CommitPoint) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static CHOSEN: OnceLock<Option<Chosen>> = OnceLock::new();
    static LEFT: AtomicU32 = AtomicU32::new(0);

    let chosen = CHOSEN.get_or_init(|| {
        let chosen = Chosen::read(&std::env::var(VARIABLE).ok()?);
        match chosen {
            Some(chosen) => LEFT.store(chosen.times, Ordering::SeqCst),
            None => tracing::error!("{VARIABLE} names no commit point, so nothing ends there"),
        }
        chosen
    });
    if chosen.is_some_and(|chosen| chosen.point == point)
        && LEFT.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

/// Nothing dies in a release build.
#[cfg(not(debug_assertions))]
pub(crate) fn reach(_: CommitPoint) {}

/// Where to die.
#[cfg(debug_assertions)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chosen {
    point: CommitPoint,
    /// How many times the point must be reached.
    times: u32,
}

#[cfg(debug_assertions)]
impl Chosen {
    fn read(text: &str) -> Option<Self> {
        let (name, times) = match text.split_once(':') {
            Some((name, times)) => (name, times.parse().ok().filter(|times| *times > 0)?),
            None => (text, 1),
        };
        let point = CommitPoint::ALL
            .into_iter()
            .find(|point| point.name() == name)?;
        Some(Self { point, times })
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_point_has_a_name_of_its_own_and_is_read_by_it() {
        let names: HashSet<&str> = CommitPoint::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), CommitPoint::ALL.len());
        for point in CommitPoint::ALL {
            assert_eq!(Chosen::read(point.name()), Some(Chosen { point, times: 1 }));
            let third = format!("{point}:3");
            assert_eq!(Chosen::read(&third), Some(Chosen { point, times: 3 }));
        }
    }

    #[test]
    fn a_text_that_names_no_point_chooses_none() {
        for text in [
            "",
            "step",
            "step-records:",
            "step-records:0",
            "step-records:x",
            ":1",
        ] {
            assert_eq!(Chosen::read(text), None, "{text}");
        }
    }
}

//! A data directory whose processes die.

use crate::runner::{Ended, Runner, ended, make_data_directory};
use cortex_xdr_simulator::RequestLog;
use host_runner::domain::{ConnectionName, TenantName};
use host_runner::store::commit_point::{CommitPoint, VARIABLE};
use host_runner::store::sqlite::{SqliteStore, Stores};
use host_runner::store::{Connection, Store};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

/// A sync of the connection of every test here, as fast as the simulator answers.
pub const SYNC: [&str; 7] = [
    "sync",
    "xdr",
    "--tenant",
    "acme",
    "--json",
    "--requests-per-second",
    "unlimited",
];

/// When to kill.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// After so many requests of this process were answered.
    pub requests: u64,
    /// And so much later.
    pub later: Duration,
}

/// A data directory of its own for the same tenant.
pub struct Victim<'a> {
    runner: &'a Runner,
    folder: TempDir,
}

impl<'a> Victim<'a> {
    /// With nothing in it.
    pub fn new(runner: &'a Runner) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_data_directory(&folder.path().join("data"));
        Self { runner, folder }
    }

    /// With all that this runner's own directory holds.
    pub fn of(runner: &'a Runner) -> Self {
        let victim = Self::new(runner);
        copy(&runner.data(), &victim.data());
        victim
    }

    /// Another one that holds the same.
    pub fn copy(&self) -> Self {
        let other = Self::new(self.runner);
        copy(&self.data(), &other.data());
        other
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn log(&self) -> RequestLog {
        self.runner.simulator.log()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.runner.command(arguments);
        command.env("HOST_RUNNER_DATA", self.data());
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments)).await
    }

    /// Runs a command that must die at a commit point, and nowhere before.
    pub async fn dies_at(&self, point: CommitPoint, times: u32, arguments: &[&str]) {
        let mut command = self.command(arguments);
        command.env(VARIABLE, format!("{point}:{times}"));
        let ended = ended(command).await;
        assert_eq!(
            ended.code, None,
            "{point}:{times} was not reached: {ended:?}"
        );
    }

    /// Runs a command and kills it at a moment; whether it was still there to be killed. Fails the test where it ended badly by itself.
    pub async fn killed(&self, moment: Moment, arguments: &[&str]) -> bool {
        let log = self.log();
        let due = log.total() + moment.requests;
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let moment = async {
            log.reached(due).await;
            // A point in time that nothing waits for: how far the process has come by then is left to chance.
            tokio::time::sleep(moment.later).await;
        };
        let status = tokio::select! {
            status = child.wait() => status.unwrap(),
            () = moment => {
                child.start_kill().unwrap();
                child.wait().await.unwrap()
            }
        };
        match status.code() {
            None => true,
            Some(code) => {
                assert_eq!(code, 0, "the sync failed by itself");
                false
            }
        }
    }

    /// What is held now, read from a copy of the files: whoever reads them must not put right what the next process has to.
    pub async fn held(&self) -> Held {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.data(), folder.path());
        let store = Stores::new(folder.path())
            .open(&TenantName::new("acme").unwrap())
            .await
            .unwrap();
        let name = ConnectionName::new("xdr").unwrap();
        let connection = store.connection(&name).await.unwrap();
        Held {
            store,
            connection,
            _folder: folder,
        }
    }
}

/// A copy of what a data directory holds.
pub struct Held {
    pub store: SqliteStore,
    pub connection: Connection,
    _folder: TempDir,
}

/// Copies files and folders, and no links.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

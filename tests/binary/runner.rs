//! The binary with a data directory of its own and a simulated tenant.

use cortex_xdr_simulator::{Options, Simulator};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

/// How long a condition may take to come true on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The one document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The documents on standard output, one per line.
    pub fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Fails the test unless the command did what was asked.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Fails the test unless the command ended with this code and one message that says all of this.
    pub fn failed(self, code: i32, says: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        let messages = self.err.lines().filter(|line| line.starts_with("error: "));
        assert_eq!(messages.count(), 1, "{self:?}");
        for text in says {
            assert!(self.err.contains(text), "`{text}` is missing: {self:?}");
        }
        self
    }
}

impl Ended {
    /// Fails the test unless the command ended with this code and told so in JSON.
    pub fn failed_as_json(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains("\"exitCode\""), "{self:?}");
        self
    }
}

/// The binary, a data directory, and a simulated tenant.
pub struct Runner {
    pub simulator: Simulator,
    pub folder: TempDir,
}

impl Runner {
    pub async fn new(options: Options) -> Self {
        let simulator = Simulator::start(options, SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        make_data_directory(&folder.path().join("data"));
        Self { simulator, folder }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Writes a file and gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A configuration for the simulated tenant, with more laid over it.
    pub fn config(&self, more: Value) -> String {
        let mut config = json!({
            "baseUrl": self.simulator.url(),
            "apiKeyId": self.simulator.api_key_id(),
            "securityLevel": self.simulator.security_level().as_str(),
            "autoOnboardAssets": true,
        });
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        self.file("config.json", config.to_string())
    }

    fn prepared(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("HOST_RUNNER_DATA", self.data())
            .env("SIMULATOR_KEY", self.simulator.api_key())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// A command, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.prepared(env!("CARGO_BIN_EXE_host-runner"));
        command.args(arguments);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments)).await
    }

    /// Runs a command that can't write more than so many blocks of 512 bytes to any file, as on a disk that is full.
    pub async fn run_with_little_room(&self, blocks: u32, arguments: &[&str]) -> Ended {
        let mut command = self.prepared("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_host-runner")])
            .args(arguments);
        ended(command).await
    }

    /// Connects as `xdr` of tenant `acme`.
    pub async fn connect(&self, more: Value) -> Ended {
        self.connect_with(more, &[]).await
    }

    pub async fn connect_with(&self, more: Value, flags: &[&str]) -> Ended {
        let config = self.config(more);
        let mut arguments = vec!["connect", "xdr", "--tenant", "acme", "--config", &config];
        arguments.extend(["--secret", "apiKey=env:SIMULATOR_KEY", "--allow-loopback"]);
        arguments.extend(flags);
        self.run(&arguments).await
    }

    /// Syncs as fast as the simulator answers.
    pub async fn sync(&self) -> Ended {
        self.run(&[
            "sync",
            "xdr",
            "--tenant",
            "acme",
            "--json",
            "--requests-per-second",
            "unlimited",
        ])
        .await
    }

    pub async fn assets(&self) -> Vec<Value> {
        let listed = self.run(&["assets", "--tenant", "acme", "--json"]).await;
        listed.succeeded().lines()
    }

    pub async fn findings(&self) -> Vec<Value> {
        let listed = self.run(&["findings", "--tenant", "acme", "--json"]).await;
        listed.succeeded().lines()
    }

    /// Waits until a sync under way has stored something.
    pub async fn until_something_is_stored(&self) {
        let stored = async {
            while self.assets().await.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, stored)
            .await
            .expect("nothing was stored");
    }
}

/// Makes a data directory that has nothing but the compiled components of all tests.
pub fn make_data_directory(path: &Path) {
    // Compiled once for all tests; the cache is keyed by component and engine.
    let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("components");
    std::fs::create_dir_all(&compiled).unwrap();
    std::fs::create_dir_all(path).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(compiled, path.join("components")).unwrap();
}

/// Runs a command to its end.
pub async fn ended(mut command: Command) -> Ended {
    let output = tokio::time::timeout(5 * PATIENCE, command.output())
        .await
        .expect("the command does not end")
        .unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

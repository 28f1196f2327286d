//! Writing a sync down while it goes on: `sync --record`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cli::args::RecordingArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::human;
use crate::connection::{Desk, Session};
use crate::engine::Plugin;
use crate::pipeline::{Cancel, SyncOptions, Unobserved};
use crate::recording::replay::{ReplayError, ReplayOptions};
use crate::recording::{AnonymiseError, Recorder, RecordingError, Target, anonymise, setup};

/// What the name of a recording ends in while it is not anonymised yet.
const UNANONYMISED: &str = ".unanonymised";

/// A recording that is being made.
pub struct Recording {
    recorder: Recorder,
    target: Target,
    plain: Option<Plain>,
}

/// A file that must not be left behind. It goes when this goes.
struct Plain(PathBuf);

impl Drop for Plain {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::error!(
                "{} holds what was read, not anonymised, and can't be removed: {error}",
                self.0.display()
            );
        }
    }
}

/// Where the recording goes, if one is asked for.
pub fn target(args: &RecordingArgs) -> Option<Target> {
    args.record.clone().map(|path| Target {
        path,
        force: args.force,
    })
}

/// Refuses a file that is there already, before anything is done.
pub fn check(args: &RecordingArgs) -> Result<(), Failure> {
    match target(args) {
        Some(target) => Ok(target.check()?),
        None => Ok(()),
    }
}

impl Recording {
    /// Begins one, if one is asked for.
    pub fn begin(
        args: &RecordingArgs,
        desk: &Desk,
        session: &Session,
        options: &SyncOptions,
    ) -> Result<Option<Self>, Failure> {
        let (Some(target), Some(stream)) = (target(args), session.streams.first()) else {
            return Ok(None);
        };
        let job = session.job(
            desk,
            stream,
            options.clone(),
            Arc::new(Unobserved),
            Cancel::new(),
        );
        let header = setup(&job, desk.clock.now());
        let plain = args.anonymise.then(|| {
            let mut path = target.path.clone().into_os_string();
            path.push(UNANONYMISED);
            Plain(path.into())
        });
        let first = match &plain {
            Some(plain) => Target {
                path: plain.0.clone(),
                // What a killed process left there.
                force: true,
            },
            None => target.clone(),
        };
        Ok(Some(Self {
            recorder: Recorder::create(&first, &header, session.watched())?,
            target,
            plain,
        }))
    }

    /// What taps the syncs.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Ends it, and tells where it is: as JSON.
    pub async fn end(self, context: &Context, plugin: &Arc<Plugin>) -> Result<Value, Failure> {
        let blanked = self.recorder.close()?;
        if let Some(plain) = &self.plain {
            anonymised(&plain.0, &self.target, plugin).await?;
        }
        let anonymised = self.plain.is_some();
        drop(self.plain);
        let file = self.target.path.as_path();
        if blanked > 0 {
            context.output.note(format!(
                "the API gave a secret or a signature back {}: it is taken out of the recording, and a replay may part from it there",
                human::counted(blanked, "time")
            ));
        }
        context
            .output
            .note(format!("recorded in {}", file.display()));
        Ok(json!({"file": file, "secretsTakenOut": blanked, "anonymised": anonymised}))
    }
}

/// Writes a recording anew with other names.
pub async fn anonymised(from: &Path, to: &Target, plugin: &Arc<Plugin>) -> Result<(), Failure> {
    let options = ReplayOptions {
        observer: Arc::new(Unobserved),
        cancel: Cancel::new(),
    };
    Ok(anonymise(from, to, plugin, &options).await?)
}

impl From<RecordingError> for Failure {
    fn from(error: RecordingError) -> Self {
        let exit = match &error {
            RecordingError::Exists(_) => Exit::Usage,
            _ => Exit::Input,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Recording(error) => error.into(),
            other => Self::new(Exit::Input, other.to_string()),
        }
    }
}

impl From<AnonymiseError> for Failure {
    fn from(error: AnonymiseError) -> Self {
        match error {
            AnonymiseError::Recording(error) => error.into(),
            AnonymiseError::Replay(error) => error.into(),
            other => Self::new(Exit::Input, other.to_string())
                .remedy("nothing was written; without --anonymise the recording can be made, and shows what was read"),
        }
    }
}

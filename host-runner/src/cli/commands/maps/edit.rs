//! `maps edit`: a tenant's own map in the user's editor, checked when it comes back.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use serde_json::json;
use tempfile::NamedTempFile;

use super::Room;
use super::import::{keep, tell};
use crate::cli::args::MapsEditArgs;
use crate::cli::context::Context;
use crate::cli::editor::Editor;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::connection::ConnectionError;
use crate::connection::maps::{Draft, Shelved, read_file};
use crate::contract::types::Problem;
use crate::domain::MapName;

/// Runs it.
pub async fn run(context: &Context, args: &MapsEditArgs) -> CommandResult {
    let room = Room::of(context, &args.pace, Some(&args.tenant), &[&args.map]).await?;
    let found = room.shelf.find(&args.map, None)?;
    let Some(Shelved::Own(version, document)) = found.first() else {
        return Err(ConnectionError::MapReadOnly(args.map.clone()).into());
    };
    let newest = room
        .shelf
        .own()
        .into_iter()
        .find(|map| map.version.name == version.name)
        .map(|map| map.version.number);
    let editor = Editor::of_the_user()?;
    let session = Session {
        context,
        args,
        name: &version.name,
        after: newest,
    };
    let file = session.file(document.text())?;
    loop {
        if let Err(failure) = editor.edit(file.path()) {
            let changed =
                std::fs::read_to_string(file.path()).ok().as_deref() != Some(document.text());
            return Err(if changed {
                session.kept(file, failure)?
            } else {
                failure
            });
        }
        if !file.path().exists() {
            return Err(session.nothing_left("the editor left no file"));
        }
        // Saved under another version's text, an older version is a change.
        let unchanged = newest == Some(version.number)
            && std::fs::read_to_string(file.path()).is_ok_and(|text| text == document.text());
        if unchanged {
            return session.unchanged(version.number);
        }
        match session.save(&room, &file).await {
            Ok(exit) => return Ok(exit),
            Err(failure) if failure.exit == Exit::Input && session.again(&failure)? => {}
            Err(failure) => return Err(session.kept(file, failure)?),
        }
    }
}

struct Session<'a> {
    context: &'a Context,
    args: &'a MapsEditArgs,
    name: &'a MapName,
    after: Option<u32>,
}

impl Session<'_> {
    /// The text in a file of its own, for the user only.
    fn file(&self, text: &str) -> Result<NamedTempFile, Failure> {
        let made = tempfile::Builder::new()
            .prefix(&format!("{}-", self.name))
            .suffix(".json")
            .tempfile()
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                Ok(file)
            });
        made.map_err(|error| {
            Failure::new(
                Exit::Input,
                format!(
                    "a file to edit can't be made in {}: {error}",
                    std::env::temp_dir().display()
                ),
            )
            .remedy("make room there, or give another folder with TMPDIR")
        })
    }

    fn unchanged(&self, number: u32) -> CommandResult {
        let output = &self.context.output;
        if output.json() {
            output.document(&json!({
                "map": self.name,
                "tenant": self.args.tenant,
                "number": number,
                "saved": false,
            }))?;
            return Ok(Exit::Success);
        }
        output.line(format!(
            "nothing was saved: the text of {} is as it was",
            self.name
        ))?;
        Ok(Exit::Success)
    }

    async fn save(&self, room: &Room, file: &NamedTempFile) -> CommandResult {
        let document = read_file(file.path()).map_err(|error| match error {
            // The file's name says nothing to whoever edits a map.
            ConnectionError::MapFile { reason, .. } => {
                Failure::new(Exit::Input, format!("the text is no map: {reason}"))
            }
            other => other.into(),
        })?;
        if document.name() != Some(self.name.as_str()) {
            return Err(ConnectionError::MapWrong {
                name: self.name.to_string(),
                problems: vec![Problem {
                    pointer: "/name".to_owned(),
                    message: format!(
                        "the map is `{}` and stays so; `maps clone` makes one of another name",
                        self.name
                    ),
                }],
            }
            .into());
        }
        let draft = Draft {
            name: self.name.clone(),
            document,
            after: self.after,
        };
        let kept = keep(self.context, room, &draft).await?;
        tell(
            self.context,
            &self.args.tenant,
            &draft.document,
            &kept,
            "the editor",
        )
    }

    /// On a terminal the user may edit again what is wrong.
    fn again(&self, failure: &Failure) -> Result<bool, Failure> {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if !terminal || self.context.output.json() {
            return Ok(false);
        }
        let mut asked = std::io::stderr();
        write!(asked, "{}\nEdit again? [Y/n] ", failure.to_text())?;
        asked.flush()?;
        let mut typed = String::new();
        // At the end of the input nobody is there to edit.
        let read = std::io::stdin().read_line(&mut typed)?;
        let typed = typed.trim().to_lowercase();
        Ok(read > 0 && !matches!(typed.as_str(), "n" | "no"))
    }

    /// That the file is gone, and the text with it.
    fn nothing_left(&self, what: &str) -> Failure {
        Failure::new(Exit::Input, format!("{what}: nothing was saved")).remedy(format!(
            "begin again with an editor that writes to the file that it is given: host-runner maps edit {} --tenant {}",
            self.args.map, self.args.tenant
        ))
    }

    /// What went wrong, and where the text is.
    fn kept(&self, file: NamedTempFile, failure: Failure) -> Result<Failure, Failure> {
        if !file.path().exists() {
            return Err(self.nothing_left(&format!("{}, and left no file", failure.message)));
        }
        let path: PathBuf = match file.keep() {
            Ok((_, path)) => path,
            Err(error) => {
                return Err(Failure::new(
                    failure.exit,
                    format!("{}; and the text can't be kept: {error}", failure.message),
                ));
            }
        };
        let import = format!(
            "nothing was saved; your text is in {}: mend it there, then\nhost-runner maps import {} --name {} --tenant {}",
            path.display(),
            path.display(),
            self.name,
            self.args.tenant
        );
        Ok(failure.remedy(import).detail("text", json!(path)))
    }
}

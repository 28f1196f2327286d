//! The user's own editor.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::exit::Exit;
use super::failure::Failure;

/// The variables that name it, the first before the second, as other programs have it.
const VARIABLES: [&str; 2] = ["VISUAL", "EDITOR"];

/// The user's own editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    command: OsString,
}

impl Editor {
    /// What the environment says.
    ///
    /// # Errors
    /// Where it says nothing: an editor that the user did not choose may be one that they can't leave.
    pub fn of_the_user() -> Result<Self, Failure> {
        VARIABLES
            .into_iter()
            .filter_map(std::env::var_os)
            .find(|command| !command.to_string_lossy().trim().is_empty())
            .map(|command| Self { command })
            .ok_or_else(|| {
                Failure::new(Exit::Usage, "there is no editor: neither VISUAL nor EDITOR is set")
                    .remedy(
                        "say which to use, such as EDITOR=nano; or change a file and import it: `maps export`, then `maps import`",
                    )
            })
    }

    /// Lets the user edit a file, and waits until they are done.
    ///
    /// # Errors
    /// Where the editor does not start, or says that it failed.
    pub fn edit(&self, file: &Path) -> Result<(), Failure> {
        let name = self.command.to_string_lossy();
        let failed = |what: String| {
            Failure::new(Exit::Input, format!("the editor `{name}` {what}"))
                .remedy("check VISUAL and EDITOR")
        };
        let status = self
            .started(file)
            .status()
            .map_err(|error| failed(format!("can't be started: {error}")))?;
        if status.success() {
            Ok(())
        } else {
            Err(failed(format!("ended with {status}")))
        }
    }

    /// The shell takes the command apart, so that it may have arguments and quotation marks ("code --wait"), as for git and others. The file is
    /// an argument of its own, which no shell reads.
    #[cfg(unix)]
    fn started(&self, file: &Path) -> Command {
        let mut script = self.command.clone();
        script.push(" \"$@\"");
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(&self.command).arg(file);
        command
    }

    #[cfg(not(unix))]
    fn started(&self, file: &Path) -> Command {
        let text = self.command.to_string_lossy();
        let mut words = text.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).arg(file);
        command
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn editor(command: &str) -> Editor {
        Editor {
            command: command.into(),
        }
    }

    #[test]
    fn a_command_may_have_arguments_and_a_file_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a $(b) 'c'.json");
        std::fs::write(&file, "one").unwrap();
        editor("sed -i 's/one/two words/'").edit(&file).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "two words");
    }

    #[test]
    fn an_editor_that_fails_or_does_not_exist_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let failed = editor("false").edit(file.path()).unwrap_err();
        assert!(failed.message.contains("`false` ended with"), "{failed}");
        let missing = editor("there-is-no-such-editor").edit(file.path());
        assert_eq!(missing.unwrap_err().exit, Exit::Input);
    }
}

//! Folders that only this user may look into.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes a folder, with those above it that are missing, closed to other users (mode 0700). One that is there stays as it is.
///
/// # Errors
/// What the system says.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn each_folder_that_is_made_is_closed_to_others_and_one_that_is_there_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("there");
        std::fs::create_dir(&there).unwrap();
        std::fs::set_permissions(&there, std::fs::Permissions::from_mode(0o755)).unwrap();
        make_private_folder(&there.join("one/two")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&there), 0o755);
        assert_eq!(mode(&there.join("one")), 0o700);
        assert_eq!(mode(&there.join("one/two")), 0o700);
    }
}

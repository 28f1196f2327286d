use proptest::prelude::*;

use std::fs;

use super::super::{Place, Secret};
use super::*;

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// As with nothing in the environment.
fn open(data: &Path) -> Result<Keyring, KeyringError> {
    match Keyring::from_sources(None, None, data)? {
        Some(keyring) => Ok(keyring),
        None => Keyring::create(data.join(KEY_FILE)),
    }
}

fn given(text: &str) -> Keyring {
    let text = Some(Zeroizing::new(text.to_owned()));
    Keyring::from_sources(text, None, Path::new("nowhere"))
        .unwrap()
        .unwrap()
}

#[test]
fn a_key_reads_alike_from_hexadecimal_and_from_base64() {
    let key = MasterKey::parse(HEX).unwrap();
    for text in [
        &HEX.to_uppercase(),
        BASE64,
        BASE64.trim_end_matches('='),
        &format!(" {HEX}\n"),
    ] {
        assert_eq!(MasterKey::parse(text).unwrap().id(), key.id());
    }
    assert_eq!(key.to_line().trim(), HEX);
}

#[test]
fn what_is_no_key_is_refused() {
    let short = &HEX[2..];
    let not_hex = HEX.replace('0', "g");
    let leftover = BASE64.replace("8=", "9=");
    for text in [
        "",
        "x",
        short,
        not_hex.as_str(),
        leftover.as_str(),
        &BASE64[1..],
    ] {
        assert!(MasterKey::parse(text).is_none(), "{text}");
    }
}

#[test]
fn the_file_is_made_on_first_use_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("not-there-yet");
    let made = open(&data).unwrap();
    assert_eq!(open(&data).unwrap().current().id(), made.current().id());
    let elsewhere = tempfile::tempdir().unwrap();
    assert_ne!(
        open(elsewhere.path()).unwrap().current().id(),
        made.current().id()
    );
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only_and_refused_where_others_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap();
    let path = folder.path().join(KEY_FILE);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for mode in [0o640, 0o604, 0o660, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(
            matches!(error, KeyringError::Permissions { mode: seen, .. } if seen == mode),
            "{error}"
        );
    }
}

#[cfg(unix)]
#[test]
fn the_folder_is_made_for_its_owner_only_and_refused_where_others_can_write() {
    use std::os::unix::fs::PermissionsExt;
    let above = tempfile::tempdir().unwrap();
    let data = above.path().join("data");
    let made = open(&data).unwrap();
    let set = |mode| fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
    let modes = made.source().modes().unwrap();
    assert_eq!((modes.folder, modes.file), (0o700, 0o600));
    for mode in [0o770, 0o702, 0o777] {
        set(mode);
        for error in [open(&data).unwrap_err(), made.begin_rotation().unwrap_err()] {
            let told = error.to_string();
            assert!(matches!(error, KeyringError::Folder { .. }), "{told}");
            assert!(told.contains("chmod 700"), "{told}");
        }
    }
    set(0o755);
    open(&data).unwrap();
}

#[test]
fn a_file_that_holds_no_key_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap();
    let path = folder.path().join(KEY_FILE);
    fs::write(&path, "no key").unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, KeyringError::Malformed { .. }), "{error}");
    assert!(!error.to_string().contains("no key\n"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "no key");
}

#[test]
fn threads_that_make_the_key_at_once_agree_on_one() {
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| open(folder.path()).unwrap().current().id()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn the_variable_comes_before_the_command_and_the_command_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let from = |variable: Option<&str>, command: Option<&str>| {
        let variable = variable.map(|text| Zeroizing::new(text.to_owned()));
        Keyring::from_sources(variable, command, folder.path())
            .map(|ring| ring.unwrap().current().id())
    };
    let (one, two) = (HEX, HEX.replace('0', "1"));
    let echo = format!("echo {two}");
    assert_eq!(
        from(Some(one), Some(&echo)).unwrap(),
        MasterKey::parse(one).unwrap().id()
    );
    assert_eq!(
        from(None, Some(&echo)).unwrap(),
        MasterKey::parse(&two).unwrap().id()
    );
    assert!(!folder.path().join(KEY_FILE).exists());
    assert!(matches!(
        from(None, Some("exit 3")),
        Err(KeyringError::Command(_))
    ));
    assert!(matches!(
        from(Some(""), None),
        Err(KeyringError::Malformed { .. })
    ));
}

#[test]
fn what_the_command_prints_is_trimmed_and_no_error_repeats_it() {
    let folder = tempfile::tempdir().unwrap();
    let from = |command: &str| Keyring::from_sources(None, Some(command), folder.path());
    let ring = from(&format!("printf '\\n  %s \\r\\n\\n' {HEX}"))
        .unwrap()
        .unwrap();
    assert_eq!(ring.current().id(), MasterKey::parse(HEX).unwrap().id());
    for command in [
        format!("echo {HEX}; exit 3"),
        format!("echo {HEX}x"),
        format!("printf '\\377{HEX}'"),
        // More than any keys, without an end.
        format!("yes {HEX}"),
    ] {
        let error = from(&command).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!told.contains(HEX), "{told}");
        assert!(told.contains("HOST_RUNNER_MASTER_KEY_COMMAND") || told.contains('3'));
    }
    let error = from("exit 3").unwrap_err().to_string();
    assert!(error.contains("exit status: 3"), "{error}");
}

#[test]
fn a_rotation_keeps_the_old_key_until_it_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place {
        tenant: "acme",
        connection: "7",
        name: "apiKey",
    };
    let old = open(folder.path()).unwrap();
    let sealed = old
        .seal(&place, &Secret::new("test-key".to_owned()))
        .unwrap();

    old.begin_rotation().unwrap().place().unwrap();
    // Another process, after a crash.
    let both = open(folder.path()).unwrap();
    assert!(both.is_rotating());
    assert_ne!(both.current().id(), old.current().id());
    assert_eq!(
        both.begin_rotation()
            .unwrap()
            .place()
            .unwrap()
            .current()
            .id(),
        both.current().id()
    );
    let resealed = both.reseal(&place, &sealed).unwrap().unwrap();

    both.finish_rotation().unwrap().place().unwrap();
    let new = open(folder.path()).unwrap();
    assert!(!new.is_rotating());
    assert_eq!(
        new.open_sealed(&place, &resealed).unwrap().expose(),
        "test-key"
    );
    assert!(new.open_sealed(&place, &sealed).is_err());
}

#[test]
fn a_key_from_the_environment_is_not_replaced_but_may_bring_its_successor() {
    assert!(matches!(
        given(HEX).begin_rotation(),
        Err(KeyringError::Foreign { .. })
    ));
    let successor = HEX.replace('0', "1");
    let both = given(&format!("{successor}\n{HEX}"));
    let both = both.begin_rotation().unwrap().place().unwrap();
    assert_eq!(
        both.current().id(),
        MasterKey::parse(&successor).unwrap().id()
    );
    assert_eq!(
        both.former().collect::<Vec<_>>(),
        [MasterKey::parse(HEX).unwrap().id()]
    );
    let new = both.finish_rotation().unwrap().place().unwrap();
    assert!(!new.is_rotating() && !Path::new("nowhere").exists());
}

#[test]
fn what_is_staged_is_not_in_force_before_it_is_placed_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let old = open(folder.path()).unwrap();
    let staged = old.begin_rotation().unwrap();
    let files = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files(), 2);
    assert!(!open(folder.path()).unwrap().is_rotating());
    drop(staged);
    assert_eq!(files(), 1);
}

#[cfg(unix)]
#[test]
fn keys_that_a_killed_process_left_behind_are_removed_by_the_next_rotation() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let old = open(folder.path()).unwrap();
    let staged = old.begin_rotation().unwrap();
    // A process that is killed removes nothing.
    std::mem::forget(staged);
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != KEY_FILE)
        .collect();
    assert_eq!(left.len(), 1);
    let mode = left[0].metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    old.begin_rotation().unwrap().place().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn tenants_have_keys_of_their_own() {
    let key = MasterKey::parse(HEX).unwrap();
    assert_eq!(key.tenant_key("acme"), key.tenant_key("acme"));
    assert_ne!(key.tenant_key("acme"), key.tenant_key("other"));
    assert_ne!(key.tenant_key("acme").as_slice(), key.0.as_slice());
}

#[test]
fn no_key_prints() {
    let key = MasterKey::parse(HEX).unwrap();
    let ring = Keyring::from_keys(key.clone(), vec![key.clone()]);
    let printed = format!("{key:?} {ring:?} {:?} {}", key.id(), key.id());
    for trace in [HEX, &HEX[..8], BASE64, "0, 1, 2, 3"] {
        assert!(!printed.contains(trace), "{printed}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_of_keys_panic(text in "\\PC{0,70}") {
        let _ = MasterKey::parse(&text);
    }
}

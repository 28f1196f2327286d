//! What held a secret is wiped before its memory is given back.

use crate::freed::{MARK, left_behind};
use host_runner::connection::TypedConfig;
use host_runner::secrets::{Keyring, MasterKey, Place, Secret, SecretSet, SecretSource};
use serde_json::json;

fn place() -> Place<'static> {
    Place {
        tenant: "acme",
        connection: "1",
        name: "apiKey",
    }
}

fn keyring() -> Keyring {
    Keyring::from_keys(MasterKey::generate().unwrap(), Vec::new())
}

#[test]
fn a_text_that_is_no_secret_is_left_behind_and_found() {
    assert_eq!(left_behind(|| drop(MARK.to_owned())), 1);
    let grown = left_behind(|| {
        let mut text = MARK.to_owned();
        text.reserve(10_000);
    });
    assert_eq!(grown, 2, "the block that was too small, and the larger one");
}

#[test]
fn a_secret_that_is_dropped_leaves_nothing_behind() {
    let found = left_behind(|| {
        let mut roomy = String::with_capacity(4_096);
        roomy.push_str(MARK);
        let secret = Secret::new(roomy);
        let set: SecretSet = [
            ("apiKey".to_owned(), secret.clone()),
            ("other".to_owned(), secret),
        ]
        .into_iter()
        .collect();
        let restricted = set.restricted_to(["apiKey"]);
        drop((set.clone(), set, restricted));
    });
    assert_eq!(found, 0);
}

#[test]
fn sealing_and_opening_leave_nothing_behind() {
    let (ring, later) = (keyring(), keyring());
    let both = Keyring::from_keys(later.current().clone(), vec![ring.current().clone()]);
    let found = left_behind(|| {
        let secret = Secret::new(MARK.to_owned());
        let sealed = ring.seal(&place(), &secret).unwrap();
        let opened = ring.open_sealed(&place(), &sealed).unwrap();
        assert_eq!(opened.expose(), MARK);
        both.reseal(&place(), &sealed).unwrap().unwrap();
        let elsewhere = Place {
            tenant: "other",
            ..place()
        };
        ring.open_sealed(&elsewhere, &sealed).unwrap_err();
    });
    assert_eq!(found, 0);
}

#[test]
fn reading_a_secret_from_a_file_or_a_stream_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{MARK}\n")).unwrap();
    let long = format!("{MARK}\n{MARK}");
    let found = left_behind(|| {
        let secret = SecretSource::File(path.clone()).read("apiKey").unwrap();
        assert_eq!(secret.expose(), MARK);
        drop(
            SecretSource::Stdin
                .read_from("apiKey", long.as_bytes())
                .unwrap_err(),
        );
    });
    assert_eq!(found, 0);
}

#[test]
fn a_secret_taken_out_of_a_configuration_leaves_nothing_behind() {
    let config = json!({"baseUrl": "https://api.example.com", "apiKey": MARK});
    let found = left_behind(|| {
        let typed = TypedConfig::new(config, SecretSet::default(), &["apiKey".to_owned()]).unwrap();
        let again = typed.clone().with_kept(&typed.secrets);
        drop((typed, again));
    });
    assert_eq!(found, 0);
}

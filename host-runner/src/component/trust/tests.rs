use tempfile::TempDir;

use super::publisher::Publisher;
use super::*;
use crate::engine::Limits;

const COMPONENT: &[u8] = b"the bytes of a component";

/// A component's file, with a signature beside it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new(signature: Option<&str>) -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(place.component(), COMPONENT).unwrap();
        if let Some(signature) = signature {
            std::fs::write(beside(&place.component()), signature).unwrap();
        }
        place
    }

    fn component(&self) -> PathBuf {
        self.folder.path().join("c.wasm")
    }

    fn judged(&self, trust: &Trust) -> Result<Standing, LoadError> {
        let source = Source::File(self.component());
        trust.judge(&source.read(&Limits::default()).unwrap(), &source)
    }

    fn refused(&self, trust: &Trust) -> TrustError {
        match self.judged(trust) {
            Err(LoadError::Untrusted { error, .. }) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn trusted(publisher: &Publisher) -> TrustedKey {
    TrustedKey::parse(&publisher.key()).unwrap()
}

fn required(keys: &[&Publisher]) -> Trust {
    Trust {
        required: true,
        keys: keys.iter().map(|publisher| trusted(publisher)).collect(),
        signature: None,
    }
}

#[test]
fn a_good_signature_is_taken_and_tells_who_signed_and_what_they_said() {
    let (one, two) = (Publisher::new(), Publisher::new());
    let place = Place::new(Some(&two.sign(COMPONENT)));
    let standing = place.judged(&required(&[&one, &two])).unwrap();
    let expected = Standing::Signed {
        key: two.key(),
        comment: "version 1".to_owned(),
    };
    assert_eq!(standing, expected);
}

#[test]
fn a_file_that_was_changed_in_any_byte_is_refused() {
    let publisher = Publisher::new();
    let place = Place::new(Some(&publisher.sign(COMPONENT)));
    for at in 0..COMPONENT.len() {
        let mut bytes = COMPONENT.to_vec();
        bytes[at] ^= 1;
        std::fs::write(place.component(), bytes).unwrap();
        let error = place.refused(&required(&[&publisher]));
        assert!(matches!(error, TrustError::Mismatch { .. }), "{error}");
    }
    std::fs::write(place.component(), [COMPONENT, b"more"].concat()).unwrap();
    let error = place.refused(&required(&[&publisher]));
    assert!(matches!(error, TrustError::Mismatch { .. }), "{error}");
}

#[test]
fn a_signature_by_another_key_is_refused_and_both_keys_can_be_told_apart() {
    let (trusted, other) = (Publisher::new(), Publisher::new());
    let place = Place::new(Some(&other.sign(COMPONENT)));
    let error = place.refused(&required(&[&trusted]));
    assert!(matches!(error, TrustError::OtherKey { .. }), "{error}");
    assert!(error.to_string().contains(&trusted.key()), "{error}");
}

#[test]
fn a_key_that_bears_the_id_of_a_trusted_one_is_not_taken_for_it() {
    let trusted = Publisher::new();
    let thief = Publisher::new().with_id_of(&trusted);
    let place = Place::new(Some(&thief.sign(COMPONENT)));
    let error = place.refused(&required(&[&trusted]));
    assert!(matches!(error, TrustError::Mismatch { .. }), "{error}");
    // Where both are trusted, each is tried.
    assert!(place.judged(&required(&[&trusted, &thief])).is_ok());
}

#[test]
fn a_trusted_comment_that_was_changed_is_refused() {
    let publisher = Publisher::new();
    let signed = publisher.sign(COMPONENT);
    let place = Place::new(Some(&signed.replace("version 1", "version 2")));
    let error = place.refused(&required(&[&publisher]));
    assert!(matches!(error, TrustError::Mismatch { .. }), "{error}");
}

#[test]
fn a_signature_that_is_cut_short_anywhere_is_refused() {
    let publisher = Publisher::new();
    let signed = publisher.sign(COMPONENT);
    for length in 0..signed.trim_end().len() {
        let place = Place::new(Some(&signed[..length]));
        place.refused(&required(&[&publisher]));
    }
}

#[test]
fn a_signature_of_the_old_form_is_refused_and_the_message_says_what_to_do() {
    let publisher = Publisher::new();
    let legacy = publisher.sign_in_the_old_form(COMPONENT);
    let error = Place::new(Some(&legacy)).refused(&required(&[&publisher]));
    assert!(matches!(error, TrustError::Legacy { .. }), "{error}");
    assert!(error.to_string().contains("sign it anew"), "{error}");
}

#[test]
fn without_a_signature_or_a_key_a_component_is_refused_where_one_is_required() {
    let publisher = Publisher::new();
    let error = Place::new(None).refused(&required(&[&publisher]));
    assert!(matches!(error, TrustError::Unsigned { .. }), "{error}");
    let signed = publisher.sign(COMPONENT);
    let error = Place::new(Some(&signed)).refused(&required(&[]));
    assert_eq!(error, TrustError::NoTrustedKey);
    let bytes = Source::Bytes("bytes".to_owned(), COMPONENT.to_vec());
    let file = bytes.read(&Limits::default()).unwrap();
    assert!(required(&[&publisher]).judge(&file, &bytes).is_err());
}

#[test]
fn the_bundled_component_is_trusted_with_the_runner() {
    let file = Source::Bundled.read(&Limits::default()).unwrap();
    let standing = required(&[]).judge(&file, &Source::Bundled).unwrap();
    assert_eq!(standing, Standing::Bundled);
}

#[test]
fn where_none_is_required_the_state_is_told_and_only_a_signature_that_was_named_must_be_good() {
    let (publisher, other) = (Publisher::new(), Publisher::new());
    let relaxed = |keys: &[&Publisher]| Trust {
        required: false,
        ..required(keys)
    };
    let unsigned = Place::new(None);
    assert_eq!(unsigned.judged(&relaxed(&[])).unwrap(), Standing::Unsigned);
    let signed = Place::new(Some(&publisher.sign(COMPONENT)));
    let unchecked = signed.judged(&relaxed(&[])).unwrap();
    assert!(matches!(unchecked, Standing::Unchecked { .. }));
    let doubtful = signed.judged(&relaxed(&[&other])).unwrap();
    assert!(matches!(
        doubtful,
        Standing::Doubtful(TrustError::OtherKey { .. })
    ));
    let named = Trust {
        signature: Some(beside(&signed.component())),
        ..relaxed(&[&other])
    };
    assert!(matches!(
        signed.refused(&named),
        TrustError::OtherKey { .. }
    ));
}

#[test]
fn keys_are_read_one_after_the_other_with_what_stands_above_them() {
    let (one, two) = (Publisher::new(), Publisher::new());
    let text = format!("# keys that we trust\n\n{}{}\n", one.key_file(), two.key());
    let keys = TrustedKey::list(&text, "keys").unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0].comment(), Some("a publisher"));
    assert_eq!(keys[1].comment(), None);
    assert_eq!(keys[1].text(), two.key());
    for wrong in ["", "# nothing", "RWQ", "untrusted comment: no key"] {
        let error = TrustedKey::list(wrong, "keys").unwrap_err();
        assert!(
            matches!(error, TrustError::NoKey { .. }),
            "{wrong}: {error}"
        );
    }
    assert!(
        TrustedKey::from_list(Path::new("no/such/list"))
            .unwrap()
            .is_empty()
    );
    assert!(TrustedKey::from_argument("no-such-key-or-file").is_err());
}

#[cfg(unix)]
#[test]
fn a_list_of_keys_that_others_may_change_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trusted-keys");
    std::fs::write(&path, Publisher::new().key()).unwrap();
    for (mode, fine) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(TrustedKey::from_list(&path).is_ok(), fine, "{mode:o}");
    }
}

#[test]
fn a_file_that_is_far_too_large_for_a_signature_is_not_read_to_its_end() {
    let place = Place::new(Some(&"x".repeat(1 << 20)));
    let error = place.refused(&required(&[&Publisher::new()]));
    assert!(matches!(error, TrustError::Unreadable { .. }), "{error}");
}

/// The example of minisign's own documentation: what it signs is taken here.
#[test]
fn what_minisign_itself_signed_is_taken() {
    let key =
        TrustedKey::parse("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3").unwrap();
    let signature = "untrusted comment: signature from minisign secret key\n\
        RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n\
        trusted comment: timestamp:1633700835\tfile:test\tprehashed\n\
        wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.minisig");
    std::fs::write(&path, signature).unwrap();
    let keys = [key];
    let (_, comment) = check_signature(b"test", &path, &keys).unwrap();
    assert_eq!(comment, "timestamp:1633700835\tfile:test\tprehashed");
    assert!(check_signature(b"Test", &path, &keys).is_err());
}

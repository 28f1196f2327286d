//! A value that is neither printed nor left behind in memory.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A secret's value. It does not print, does not serialise, and its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value over.
    pub fn new(value: String) -> Self {
        // Not `From<String>`: that makes a boxed str, and where the string has spare capacity the old buffer is freed unwiped.
        let value = secrecy::zeroize::Zeroizing::new(value);
        Secret(SecretString::from(value.as_str()))
    }

    /// The value. Whoever asks keeps it out of messages, logs and anything that outlives the request.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Refuses to compile where a secret could be written out: each of these calls names one function where the type lacks the trait, and could mean
/// either of two where it has it.
const _: () = {
    trait Without<Marker> {
        fn it() {}
    }
    struct Other;
    impl<T: ?Sized> Without<()> for T {}
    impl<T: ?Sized + serde::Serialize> Without<Other> for T {}

    trait WithoutDisplay<Marker> {
        fn it() {}
    }
    impl<T: ?Sized> WithoutDisplay<()> for T {}
    impl<T: ?Sized + fmt::Display> WithoutDisplay<Other> for T {}

    const fn not_written_out() {
        let _ = <Secret as Without<_>>::it;
        let _ = <SecretSet as Without<_>>::it;
        let _ = <super::MasterKey as Without<_>>::it;
        let _ = <super::Keyring as Without<_>>::it;
        let _ = <Secret as WithoutDisplay<_>>::it;
        let _ = <SecretSet as WithoutDisplay<_>>::it;
        let _ = <super::MasterKey as WithoutDisplay<_>>::it;
    }
    not_written_out();

    // And what holds the value is wiped when it goes.
    const fn wiped<T: secrecy::zeroize::ZeroizeOnDrop>() {}
    wiped::<SecretString>();
};

/// The secrets of one connection, by the names that its configuration gives them.
#[derive(Clone, Default)]
pub struct SecretSet {
    secrets: BTreeMap<String, Secret>,
}

impl SecretSet {
    /// Adds a secret, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, secret: Secret) {
        self.secrets.insert(name.into(), secret);
    }

    /// The secret of that name.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }

    /// The names, sorted. Names are no secrets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Only the secrets that are named: what `configure` declared is all that requests may use.
    pub fn restricted_to<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let secrets = names
            .into_iter()
            .filter_map(|name| self.secrets.get_key_value(name))
            .map(|(name, secret)| (name.clone(), secret.clone()))
            .collect();
        SecretSet { secrets }
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.secrets
            .iter()
            .map(|(name, secret)| (name.as_str(), secret))
    }
}

impl fmt::Debug for SecretSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.secrets.iter()).finish()
    }
}

impl FromIterator<(String, Secret)> for SecretSet {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(pairs: I) -> Self {
        SecretSet {
            secrets: pairs.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::new("test-key".to_owned());
        assert_eq!(format!("{secret:?}"), "[secret]");
        let set: SecretSet = [("apiKey".to_owned(), secret)].into_iter().collect();
        assert_eq!(format!("{set:?}"), r#"{"apiKey": [secret]}"#);
        assert_eq!(set.get("apiKey").unwrap().expose(), "test-key");
    }

    #[test]
    fn a_restricted_set_holds_only_what_is_named() {
        let set: SecretSet = ["a", "b", "c"]
            .map(|name| (name.to_owned(), Secret::new(name.to_owned())))
            .into_iter()
            .collect();
        let restricted = set.restricted_to(["c", "a", "unknown"]);
        assert_eq!(restricted.names().collect::<Vec<_>>(), ["a", "c"]);
        assert!(set.restricted_to([]).is_empty());
    }
}

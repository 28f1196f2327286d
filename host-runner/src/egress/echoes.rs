//! Recognises a secret, or a signature made with one, where an answer gives it back: for whoever writes answers down.

use http::HeaderMap;
use secrecy::zeroize::Zeroizing;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::signing;
use crate::domain::needles::{Match, Needles, replaced};
use crate::secrets::SecretSet;

/// How many of the latest signatures are recognised: more than can be under way.
const LATEST: usize = 64;
/// What stands for what was taken out.
const BLANK: &[u8] = b"[secret]";

/// What must not be written down.
pub struct Echoes {
    state: Mutex<State>,
}

struct State {
    /// Values of secrets, in the forms in which they may come back.
    secrets: Vec<Zeroizing<Vec<u8>>>,
    /// Values of headers that were made with secrets, the latest last.
    made: VecDeque<Zeroizing<Vec<u8>>>,
    needles: Needles,
}

impl State {
    fn sharpen(&mut self) {
        let mut needles = Needles::new(Match::Exact);
        for value in self.secrets.iter().chain(&self.made) {
            needles.add(value);
        }
        self.needles = needles;
    }
}

impl Echoes {
    /// Of these secrets: as they are, as JSON writes them, and in Base64.
    pub(super) fn of(secrets: &SecretSet) -> Self {
        let mut forms = Vec::new();
        for (_, secret) in secrets.iter() {
            let plain = secret.expose();
            forms.push(Zeroizing::new(plain.as_bytes().to_vec()));
            if let Ok(quoted) = serde_json::to_vec(plain).map(Zeroizing::new)
                && let Some(inner) = quoted.get(1..quoted.len().saturating_sub(1))
            {
                forms.push(Zeroizing::new(inner.to_vec()));
            }
            forms.push(signing::base64(plain.as_bytes()));
        }
        let mut state = State {
            secrets: forms,
            made: VecDeque::new(),
            needles: Needles::new(Match::Exact),
        };
        state.sharpen();
        Self {
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what is about to be sent.
    pub(super) fn note(&self, headers: &HeaderMap) {
        let made = headers.values().filter(|value| value.is_sensitive());
        let mut state = self.state();
        for value in made {
            if state.made.iter().any(|known| **known == value.as_bytes()) {
                continue;
            }
            if state.made.len() == LATEST {
                state.made.pop_front();
            }
            state
                .made
                .push_back(Zeroizing::new(value.as_bytes().to_vec()));
        }
        state.sharpen();
    }

    /// The bytes with each secret and signature replaced; none where there is none.
    pub fn blanked(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let found = self.state().needles.find(bytes);
        (!found.is_empty()).then(|| replaced(bytes, &found, |_| BLANK.to_vec()))
    }

    /// How many bytes at the end may be the beginning of a secret or a signature.
    pub fn begun(&self, bytes: &[u8]) -> usize {
        self.state().needles.begun(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secret;
    use http::HeaderValue;

    fn echoes() -> Echoes {
        let mut secrets = SecretSet::default();
        secrets.insert("apiKey", Secret::new("test-\"key\"-value".to_owned()));
        Echoes::of(&secrets)
    }

    #[test]
    fn a_secret_is_recognised_as_it_is_quoted_and_in_base64() {
        let echoes = echoes();
        for text in [
            "x test-\"key\"-value x",
            r#"x test-\"key\"-value x"#,
            "x dGVzdC0ia2V5Ii12YWx1ZQ== x",
        ] {
            let blanked = echoes.blanked(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(blanked).unwrap(), "x [secret] x");
        }
        assert_eq!(echoes.blanked(b"nothing of it"), None);
    }

    #[test]
    fn a_signature_is_recognised_and_what_is_not_sensitive_is_not() {
        let echoes = echoes();
        let mut headers = HeaderMap::new();
        let mut signature = HeaderValue::from_static("0123456789abcdef");
        signature.set_sensitive(true);
        headers.insert("authorization", signature);
        headers.insert("x-nonce", HeaderValue::from_static("a-nonce-of-its-own"));
        echoes.note(&headers);
        assert!(echoes.blanked(b"{\"auth\":\"0123456789abcdef\"}").is_some());
        assert!(echoes.blanked(b"a-nonce-of-its-own").is_none());
        assert_eq!(echoes.begun(b"... 01234"), 5);
    }
}

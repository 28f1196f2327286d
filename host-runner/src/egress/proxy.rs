//! The company's proxy, for networks that have no other way out.

use std::fmt;

use url::{Host, Url};

use super::EgressError;
use super::origin::shortened;
use crate::secrets::Secret;

/// A proxy that is asked to CONNECT. It sees the names of hosts and nothing else: TLS goes through it to the origin, whose
/// certificate is checked as without it.
#[derive(Clone)]
pub struct ProxyConfig {
    address: String,
    host: Host<String>,
    user: Option<(String, Secret)>,
}

impl ProxyConfig {
    /// Reads `http://host:port` or `https://host:port`, with `user:password@` where the proxy asks for it.
    pub fn parse(text: &str) -> Result<Self, EgressError> {
        // What was given is not repeated whole: it may hold a password.
        let wrong = |reason: &str| {
            EgressError::Proxy(format!(
                "{reason}; a proxy looks like http://proxy.example.com:3128"
            ))
        };
        let mut url = Url::parse(text.trim())
            .map_err(|e| wrong(&format!("its address can't be read ({e})")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(&format!(
                "`{}` is no scheme for one",
                shortened(url.scheme())
            )));
        }
        let host = url
            .host()
            .ok_or_else(|| wrong("its address has no host"))?
            .to_owned();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("its address has a path"));
        }
        let user = (!url.username().is_empty()).then(|| {
            let decode = |text: &str| percent_decoded(text);
            (
                decode(url.username()),
                Secret::new(decode(url.password().unwrap_or_default())),
            )
        });
        let unusable = || wrong("its address can't be used");
        url.set_username("").map_err(|()| unusable())?;
        url.set_password(None).map_err(|()| unusable())?;
        Ok(ProxyConfig {
            address: url.to_string(),
            host,
            user,
        })
    }

    /// Its URL without user and password.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn host(&self) -> &Host<String> {
        &self.host
    }

    pub(super) fn user(&self) -> Option<(&str, &Secret)> {
        self.user
            .as_ref()
            .map(|(name, password)| (name.as_str(), password))
    }
}

impl fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyConfig")
            .field("address", &self.address)
            .field("user", &self.user)
            .finish()
    }
}

/// Undoes percent-encoding; what is no encoding stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

//! The company's proxy, for networks that have no other way out.
//!
//! One that an administrator named for the connection, and no other: what the environment says (`HTTPS_PROXY` and its kind) is not read, so
//! that where a tenant's requests go never depends on who starts the process. It may stand at a private address, since an administrator
//! named it. The rules for origins hold unchanged: the origin is one that the manifest covers, its name and its address are judged here before
//! the proxy is asked, its certificate is checked as without it. What can only be judged at the proxy is where it connects to for a name that
//! this machine can't resolve.

use std::fmt;

use secrecy::zeroize::Zeroizing;
use url::{Host, Url};

use super::EgressError;
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
        // What is typed without a scheme reads as one with the host for a scheme.
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("its address must begin with http:// or https://"));
        }
        let host = url
            .host()
            .ok_or_else(|| wrong("its address has no host"))?
            .to_owned();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("its address has a path"));
        }
        let named = !url.username().is_empty() || url.password().is_some();
        let user = named.then(|| {
            let user = percent_decoded(url.username());
            let password = Zeroizing::new(percent_decoded(url.password().unwrap_or_default()));
            (user, Secret::new(password.to_string()))
        });
        if user.as_ref().is_some_and(|(name, _)| name.contains(':')) {
            return Err(wrong("its user's name holds a colon"));
        }
        let unusable = || wrong("its address can't be used");
        url.set_username("").map_err(|()| unusable())?;
        url.set_password(None).map_err(|()| unusable())?;
        Ok(ProxyConfig {
            address: url.to_string(),
            host,
            user,
        })
    }

    /// Puts together again what [`ProxyConfig::address`] and [`ProxyConfig::credentials`] gave.
    pub fn from_kept(address: &str, credentials: Option<&Secret>) -> Result<Self, EgressError> {
        let mut proxy = ProxyConfig::parse(address)?;
        if let Some(credentials) = credentials {
            let (user, password) = credentials
                .expose()
                .split_once(':')
                .unwrap_or((credentials.expose(), ""));
            proxy.user = Some((user.to_owned(), Secret::new(password.to_owned())));
        }
        Ok(proxy)
    }

    /// Its URL without user and password.
    pub fn address(&self) -> &str {
        self.address.trim_end_matches('/')
    }

    /// `user:password`, where it has them. Both are a secret: a token often stands in the place of the user.
    pub fn credentials(&self) -> Option<Secret> {
        self.user
            .as_ref()
            .map(|(user, password)| Secret::new(format!("{user}:{}", password.expose())))
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

/// Its address alone.
impl fmt::Display for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.address())
    }
}

impl fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyConfig")
            .field("address", &self.address)
            .field("credentials", &self.user.is_some())
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

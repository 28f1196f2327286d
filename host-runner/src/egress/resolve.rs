//! From a name to addresses, once: what is forbidden is dropped and only what is left is connected to, so there is no second
//! look-up between check and use.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use super::address::{forbidden, is_loopback};
use super::origin::is_localhost;

/// The addresses of a name, or why there are none.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Turns names into addresses. Tests bring their own.
pub trait Resolve: Send + Sync {
    /// All addresses of a host name.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            // The port plays no part in it.
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// What is wrong with an address of `localhost` that is not one.
const BEYOND: &str = "an address beyond this machine, although its name is reserved for it";

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// All its addresses are forbidden.
    #[error("{host} leads to {reason}")]
    Forbidden {
        /// The name.
        host: String,
        /// What the first of its addresses is.
        reason: &'static str,
    },
    /// There is no address.
    #[error("the name {host} has no address")]
    Nothing {
        /// The name.
        host: String,
    },
    /// The resolver failed.
    #[error("the name {host} can't be resolved: {error}")]
    Failed {
        /// The name.
        host: String,
        /// What it said.
        error: io::Error,
    },
}

/// Resolves and drops what is forbidden. The HTTP client asks this, and connects to nothing else.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) inner: Arc<dyn Resolve>,
    pub(super) allow_loopback: bool,
    /// The proxy's name: the user's own choice, and as a rule a private address.
    pub(super) exempt: Option<String>,
}

impl Guarded {
    /// The addresses of a name that may be connected to; at least one.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let found = self
            .inner
            .resolve(host)
            .await
            .map_err(|error| ResolveError::Failed {
                host: host.to_owned(),
                error,
            })?;
        if self.exempt.as_deref() == Some(host) && !found.is_empty() {
            let stays = |address: &IpAddr| !is_localhost(host) || is_loopback(*address);
            let found: Vec<IpAddr> = found.into_iter().filter(stays).collect();
            return match found.is_empty() {
                false => Ok(found),
                true => Err(ResolveError::Forbidden {
                    host: host.to_owned(),
                    reason: BEYOND,
                }),
            };
        }
        let mut first = None;
        let mut allowed = Vec::with_capacity(found.len());
        for address in found {
            match self.objection(host, address) {
                None => allowed.push(address),
                Some(reason) => first = first.or(Some(reason)),
            }
        }
        match first {
            _ if !allowed.is_empty() => Ok(allowed),
            Some(reason) => Err(ResolveError::Forbidden {
                host: host.to_owned(),
                reason,
            }),
            None => Err(ResolveError::Nothing {
                host: host.to_owned(),
            }),
        }
    }

    /// Refuses a name that has any forbidden address: for those whom somebody else connects to, and chooses an address for.
    pub(super) async fn judge_all(&self, host: &str) -> Result<(), ResolveError> {
        let found = self
            .inner
            .resolve(host)
            .await
            .map_err(|error| ResolveError::Failed {
                host: host.to_owned(),
                error,
            })?;
        match found
            .into_iter()
            .find_map(|address| self.objection(host, address))
        {
            Some(reason) => Err(ResolveError::Forbidden {
                host: host.to_owned(),
                reason,
            }),
            None => Ok(()),
        }
    }

    fn objection(&self, host: &str, address: IpAddr) -> Option<&'static str> {
        // Plain HTTP is allowed to this name because it never leaves the machine; so it must not.
        if is_localhost(host) && !is_loopback(address) {
            return Some(BEYOND);
        }
        forbidden(address, self.allow_loopback)
    }
}

impl reqwest::dns::Resolve for Guarded {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guarded = self.clone();
        Box::pin(async move {
            let addresses = guarded.addresses(name.as_str()).await?;
            // Port 0 stands for the one in the URL.
            let addresses: reqwest::dns::Addrs =
                Box::new(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

//! How a connection's requests get out, where that is not straight: through a proxy, trusting authorities of its own.

use super::{ConnectionError, Desk, link};
use crate::domain::{PROXY_CREDENTIALS, Timestamp};
use crate::egress::{Authority, ProxyConfig};
use crate::secrets::Secret;
use crate::store::{self, Connection, KeptProxy, Store};

/// How requests get out.
#[derive(Debug, Clone, Default)]
pub struct WayOut {
    /// Authorities that are trusted beside the machine's own.
    pub authorities: Vec<Authority>,
    /// The proxy that requests go through.
    pub proxy: Option<ProxyConfig>,
}

/// What is asked to become of a setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It goes.
    Forget,
    /// This takes its place.
    Set(T),
}

/// What is asked to become of a way out.
#[derive(Debug, Clone, Default)]
pub struct WayOutChange {
    /// Of its authorities.
    pub authorities: Change<Vec<Authority>>,
    /// Of its proxy.
    pub proxy: Change<ProxyConfig>,
}

impl WayOutChange {
    /// Whether everything stays as it is.
    pub fn is_none(&self) -> bool {
        matches!(
            (&self.authorities, &self.proxy),
            (Change::Keep, Change::Keep)
        )
    }

    /// The way out of a connection that is being set up.
    pub(super) fn of_nothing_yet(&self) -> WayOut {
        WayOut {
            authorities: match &self.authorities {
                Change::Set(authorities) => authorities.clone(),
                Change::Keep | Change::Forget => Vec::new(),
            },
            proxy: match &self.proxy {
                Change::Set(proxy) => Some(proxy.clone()),
                Change::Keep | Change::Forget => None,
            },
        }
    }

    /// The way out of a saved connection once this is done. What is replaced is not read, so that what is damaged can be replaced.
    pub(super) async fn of_connection<S: Store>(
        &self,
        desk: &Desk,
        store: &S,
        connection: &Connection,
    ) -> Result<WayOut, ConnectionError> {
        let mut way_out = self.of_nothing_yet();
        if self.authorities == Change::Keep {
            way_out.authorities = authorities(connection)?;
        }
        if matches!(self.proxy, Change::Keep) {
            way_out.proxy = proxy(desk, store, connection).await?;
        }
        Ok(way_out)
    }
}

impl WayOut {
    /// The way out of a saved connection.
    ///
    /// # Errors
    /// Where a certificate is damaged, or the proxy's password can't be opened.
    pub async fn of_connection<S: Store>(
        desk: &Desk,
        store: &S,
        connection: &Connection,
    ) -> Result<Self, ConnectionError> {
        WayOutChange::default()
            .of_connection(desk, store, connection)
            .await
    }

    /// The same without authorities that are out of date: what they issued is not trusted any more, as with the machine's own.
    #[must_use]
    pub fn valid_at(mut self, now: Timestamp) -> Self {
        self.authorities.retain(|authority| {
            let expired = authority.has_expired(now);
            if expired {
                tracing::warn!(
                    authority = authority.subject(),
                    "an authority of --ca-file expired at {}, and is not trusted any more: give its successor with `host-runner update --ca-file`",
                    authority.not_after()
                );
            }
            !expired
        });
        self
    }

    /// As it is kept with the connection, without the proxy's password.
    pub fn kept(&self) -> store::WayOut {
        store::WayOut {
            authorities: self.authorities.iter().map(Authority::to_pem).collect(),
            proxy: self.proxy.as_ref().map(|proxy| KeptProxy {
                address: proxy.address().to_owned(),
                credentials: proxy.credentials().is_some(),
            }),
        }
    }

    /// User and password of the proxy, under the name by which they are sealed.
    pub(super) fn secret(&self) -> Option<(String, Secret)> {
        let credentials = self.proxy.as_ref()?.credentials()?;
        Some((PROXY_CREDENTIALS.to_owned(), credentials))
    }
}

/// The authorities of a saved connection, whatever the time.
///
/// # Errors
/// Where a certificate is damaged.
pub fn authorities(connection: &Connection) -> Result<Vec<Authority>, ConnectionError> {
    let damaged = || ConnectionError::Authority(connection.name.clone());
    connection
        .way_out
        .authorities
        .iter()
        .map(|pem| Authority::from_pem(pem).ok_or_else(damaged))
        .collect()
}

async fn proxy<S: Store>(
    desk: &Desk,
    store: &S,
    connection: &Connection,
) -> Result<Option<ProxyConfig>, ConnectionError> {
    let Some(kept) = &connection.way_out.proxy else {
        return Ok(None);
    };
    let credentials = match kept.credentials {
        true => Some(link::host_secret(desk, store, connection, PROXY_CREDENTIALS).await?),
        false => None,
    };
    Ok(Some(ProxyConfig::from_kept(
        &kept.address,
        credentials.as_ref(),
    )?))
}

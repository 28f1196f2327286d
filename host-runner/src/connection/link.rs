//! What a run of a connection needs to reach its API: the opened secrets, the judged origins, the manifest's calls and budgets, pace and
//! limits, put together as one way out.

use std::sync::Arc;

use super::{ConnectionError, Desk, WayOut, origins};
use crate::component::Manifest;
use crate::domain::{ConnectionId, HOST_SECRET, TenantName};
use crate::egress::{Egress, EgressConfig, EgressLimits, Origin, Rate};
use crate::engine::Limits;
use crate::secrets::{Keyring, Place, SealError, Secret, SecretSet};
use crate::store::{Connection, SealedSecret, Store};

/// What the user may choose about a way out.
#[derive(Debug, Clone, Default)]
pub struct LinkOptions {
    /// How fast requests go out.
    pub rate: Rate,
    /// Whether this machine may be reached.
    pub allow_loopback: bool,
    /// How requests get out.
    pub way_out: WayOut,
}

/// The way out for origins that are judged already, with the secrets that `configure` declared and no others.
///
/// # Errors
/// Where it contradicts itself, such as `unlimited` to an origin that is not this machine.
pub fn open(
    manifest: &Manifest,
    origins: Vec<(String, Origin)>,
    secrets: &SecretSet,
    declared: &[String],
    limits: &Limits,
    options: LinkOptions,
) -> Result<Arc<Egress>, ConnectionError> {
    let secrets = Arc::new(secrets.restricted_to(declared.iter().map(String::as_str)));
    let mut config = EgressConfig::new(
        origins,
        manifest.declared_calls(),
        manifest.budgets.clone(),
        secrets,
    );
    config.rate = options.rate;
    config.allow_loopback = options.allow_loopback;
    config.proxy = options.way_out.proxy;
    config.extra_roots = options
        .way_out
        .authorities
        .iter()
        .map(|authority| authority.der().to_vec())
        .collect();
    config.limits = EgressLimits {
        request_bytes: limits.request_mib.saturating_mul(1 << 20),
        response_bytes: limits.response_mib.saturating_mul(1 << 20),
        header_bytes: limits.headers_kib.saturating_mul(1 << 10),
        concurrent_requests: u32::try_from(limits.concurrent_requests).unwrap_or(u32::MAX),
        ..EgressLimits::default()
    };
    Ok(Arc::new(Egress::new(config)?))
}

/// The way out of a saved connection. Its origins are judged again: the manifest, the flags and the saved data may each have changed.
///
/// # Errors
/// Where the loaded component is not the one that it is bound to, a secret can't be opened, or an origin is not allowed.
pub async fn of_connection<S: Store>(
    desk: &Desk,
    store: &S,
    connection: &Connection,
    rate: Rate,
) -> Result<Arc<Egress>, ConnectionError> {
    let manifest = desk.plugin.manifest();
    let origins = origins::judge(
        manifest,
        &connection.origins,
        &connection.typed_config,
        connection.allow_loopback,
    )?;
    let secrets = secrets(desk, store, connection).await?;
    if let Some(missing) = connection
        .secrets
        .iter()
        .find(|name| secrets.get(name).is_none())
    {
        return Err(ConnectionError::SecretMissing(missing.clone()));
    }
    let way_out = WayOut::of_connection(desk, store, connection).await?;
    let options = LinkOptions {
        rate,
        allow_loopback: connection.allow_loopback,
        way_out: way_out.valid_at(desk.clock.now()),
    };
    open(
        manifest,
        origins,
        &secrets,
        &connection.secrets,
        desk.plugin.limits(),
        options,
    )
}

/// A connection's secrets, opened: the connector's, not those of the host itself.
///
/// # Errors
/// Where one can't be: another master key, or a value that was changed or moved.
pub async fn secrets<S: Store>(
    desk: &Desk,
    store: &S,
    connection: &Connection,
) -> Result<SecretSet, ConnectionError> {
    let keyring = desk.keyring().await?;
    let kept = opened(store, &keyring, connection).await?;
    kept.into_iter()
        .map(|(name, secret)| match secret {
            Ok(secret) => Ok((name, secret)),
            Err(error) => Err(unopened(store, connection, error)),
        })
        .collect()
}

/// A connection's secrets that a change of it needs: all that are not given anew. One that is given anew need not open, which is how a connection
/// is mended whose master key was lost.
pub(super) async fn kept<S: Store>(
    desk: &Desk,
    store: &S,
    connection: &Connection,
    given: &SecretSet,
) -> Result<Kept, ConnectionError> {
    let keyring = desk.keyring().await?;
    let mut kept = Kept::default();
    for (name, secret) in opened(store, &keyring, connection).await? {
        match secret {
            Ok(secret) => kept.secrets.insert(name, secret),
            Err(_) if given.get(&name).is_some() => kept.some_lost = true,
            Err(error) => return Err(unopened(store, connection, error)),
        }
    }
    Ok(kept)
}

/// What is kept of a connection's secrets.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Those that open.
    pub(super) secrets: SecretSet,
    /// Whether one does not.
    pub(super) some_lost: bool,
}

async fn opened<S: Store>(
    store: &S,
    keyring: &Keyring,
    connection: &Connection,
) -> Result<Vec<(String, Result<Secret, SealError>)>, ConnectionError> {
    let mut secrets = Vec::new();
    let id = connection.id.to_string();
    for name in store.secret_names(connection.id).await? {
        if name.starts_with(HOST_SECRET) {
            continue;
        }
        if let Some(sealed) = store.secret(connection.id, &name).await? {
            let place = place(store.tenant(), &id, &name);
            let secret = keyring.open_sealed(&place, &sealed);
            secrets.push((name, secret));
        }
    }
    Ok(secrets)
}

fn unopened<S: Store>(store: &S, connection: &Connection, error: SealError) -> ConnectionError {
    ConnectionError::Sealed {
        tenant: store.tenant().clone(),
        connection: connection.name.clone(),
        error,
    }
}

/// A secret of the host's own that belongs to a connection.
pub(super) async fn host_secret<S: Store>(
    desk: &Desk,
    store: &S,
    connection: &Connection,
    name: &str,
) -> Result<Secret, ConnectionError> {
    let keyring = desk.keyring().await?;
    let id = connection.id.to_string();
    let sealed = store.secret(connection.id, name).await?;
    let sealed = sealed.ok_or_else(|| ConnectionError::SecretLost {
        connection: connection.name.clone(),
        name: name.to_owned(),
    })?;
    let place = place(store.tenant(), &id, name);
    keyring
        .open_sealed(&place, &sealed)
        .map_err(|error| ConnectionError::ProxyCredentials {
            connection: connection.name.clone(),
            error,
        })
}

/// Seals secrets for a tenant's connection.
pub(super) fn sealed(
    keyring: &Keyring,
    tenant: &TenantName,
    connection: ConnectionId,
    secrets: &SecretSet,
) -> Result<Vec<SealedSecret>, ConnectionError> {
    let id = connection.to_string();
    secrets
        .iter()
        .map(|(name, secret)| {
            Ok(SealedSecret {
                name: name.to_owned(),
                sealed: keyring.seal(&place(tenant, &id, name), secret)?,
            })
        })
        .collect()
}

pub(super) fn place<'a>(tenant: &'a TenantName, connection: &'a str, name: &'a str) -> Place<'a> {
    Place {
        tenant: tenant.as_str(),
        connection,
        name,
    }
}

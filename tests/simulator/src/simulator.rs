//! Starting and stopping the simulator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use std::collections::VecDeque;
use std::sync::Mutex;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api::Context;
use crate::auth::Credentials;
use crate::chaos::door::{Cutter, Door};
use crate::chaos::handle::ChaosHandle;
use crate::clock::{day, now_ms};
use crate::log::RequestLog;
use crate::options::{Options, SecurityLevel};
use crate::selection::SelectionCache;
use crate::server::{Server, handle};
use crate::tenant::handle::TenantHandle;
use crate::tenant::{Tenant, api_key};
use crate::tls::identity;
use crate::xql::engine::XqlEngine;

/// How long [`Simulator::shutdown`] waits for requests in flight.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(2);

/// Why the simulator could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process listens on the address.
    #[error(
        "the address {address} is in use: stop the other process, or choose another port (0 takes a free one)"
    )]
    AddressInUse {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on for another reason.
    #[error(
        "cannot listen on {address}: {source}; choose an address of this machine and a port that you may use"
    )]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The certificate could not be made.
    #[error(
        "the simulator's certificate can't be made: {0}; each of its hosts must be a name or an address"
    )]
    Certificate(String),
}

/// A running simulator. Dropping it stops it; [`Simulator::shutdown`] lets requests in flight end first.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    api_key_id: String,
    api_key: String,
    security_level: SecurityLevel,
    /// The certificate (PEM) of the authority that issued the server's, where TLS is served.
    authority: Option<String>,
    tenant: TenantHandle,
    log: RequestLog,
    chaos: ChaosHandle,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Builds the tenant and serves it on `listen` (port 0: any free port) in tasks of the current tokio runtime.
    pub async fn start(options: Options, listen: SocketAddr) -> Result<Self, StartError> {
        let failed = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AddrInUse => StartError::AddressInUse { address: listen },
            _ => StartError::Listen {
                address: listen,
                source,
            },
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let identity = options
            .tls
            .as_ref()
            .map(|tls| identity(tls, address))
            .transpose()
            .map_err(|error| StartError::Certificate(error.to_string()))?;
        let now = now_ms();
        let epoch = options
            .now_ms
            .and_then(|now| i64::try_from(now).ok())
            .unwrap_or(now);
        let tenant = TenantHandle::new(
            Tenant::generate(&options, epoch),
            XqlEngine::new(&options, day(now)),
        );
        let log = RequestLog::default();
        let (api_key_id, api_key) = api_key(options.seed);
        let security_level = options.security_level;
        let tolerance_ms = i64::try_from(options.clock_tolerance.as_millis()).unwrap_or(i64::MAX);
        let chaos = ChaosHandle::new(
            options.chaos.clone(),
            tenant.clone(),
            tolerance_ms,
            options.seed,
        );
        let server = Arc::new(Server {
            chaos: chaos.clone(),
            credentials: Credentials {
                id: api_key_id.clone(),
                key: api_key.clone(),
                level: security_level,
                tolerance_ms,
            },
            context: Context {
                options: Arc::new(options),
                tenant: tenant.clone(),
                selections: SelectionCache::default(),
            },
            log: log.clone(),
            recent: Mutex::new(VecDeque::new()),
        });
        let router = Router::new().fallback(handle).with_state(server);
        let service = router.into_make_service_with_connect_info::<Cutter>();
        let (stop, stopped) = oneshot::channel::<()>();
        let (authority, tls) = identity
            .map(|identity| (identity.authority, identity.acceptor))
            .unzip();
        let door = Door {
            listener,
            tls,
            log: log.clone(),
        };
        let task = tokio::spawn(async move {
            let serving = axum::serve(door, service).with_graceful_shutdown(async move {
                let _ = stopped.await;
            });
            // Serving never ends with an error: axum retries a failed accept.
            let _ = serving.await;
        });
        Ok(Self {
            address,
            api_key_id,
            api_key,
            security_level,
            authority,
            tenant,
            log,
            chaos,
            stop: Some(stop),
            task,
        })
    }

    /// The base URL, for example `http://127.0.0.1:40123`, without a slash at its end.
    pub fn url(&self) -> String {
        match self.authority {
            None => format!("http://{}", self.address),
            Some(_) => format!("https://{}", self.address),
        }
    }

    /// The certificate (PEM) of the authority that whoever connects over TLS must trust; `None` where TLS is not served.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of the API key, the value of `x-xdr-auth-id`.
    pub fn api_key_id(&self) -> &str {
        &self.api_key_id
    }

    /// The API key.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The kind of key.
    pub fn security_level(&self) -> SecurityLevel {
        self.security_level
    }

    /// Reads and changes the tenant.
    pub fn tenant(&self) -> TenantHandle {
        self.tenant.clone()
    }

    /// The requests seen so far.
    pub fn log(&self) -> RequestLog {
        self.log.clone()
    }

    /// Steers chaos: stops and starts it, scripts single faults, and tells what was done.
    pub fn chaos(&self) -> ChaosHandle {
        self.chaos.clone()
    }

    /// Stops listening, lets requests in flight end (for two seconds at most), and returns.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if tokio::time::timeout(SHUTDOWN_PATIENCE, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! The HTTP client, set up so that it does nothing of its own accord: no redirects, no proxy that nobody named, no cookies, no
//! second look-up, no repetition. And its errors, told apart.

use std::error::Error;
use std::sync::Arc;

use reqwest::{Client, NoProxy, Proxy, redirect};
use url::{Host, Url};

use super::address;
use super::config::EgressConfig;
use super::origin::is_localhost;
use super::proxy::ProxyConfig;
use super::resolve::{Guarded, ResolveError};
use super::tls::{client_config, describe, find_cause, tls_error};
use super::{EgressError, Failure, Limit, Origin, Rule, Scheme};

/// More lines than any API sends.
const MOST_HEADERS: usize = 256;

/// Sets up the client for one connection.
pub(super) fn build(config: &EgressConfig, resolver: Guarded) -> Result<Client, EgressError> {
    let proxy_over_tls = config
        .proxy
        .as_ref()
        .is_some_and(|proxy| proxy.address().starts_with("https:"));
    let needs_tls = proxy_over_tls
        || config
            .origins
            .iter()
            .any(|(_, origin)| origin.scheme() == Scheme::Https);
    let tls = client_config(needs_tls, &config.extra_roots)?;
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(resolver))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .http1_max_headers(MOST_HEADERS)
        .connect_timeout(config.limits.connect_timeout)
        .pool_max_idle_per_host(config.limits.concurrent_requests as usize)
        .tcp_nodelay(true)
        .user_agent(concat!("host-runner/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &config.proxy {
        builder = builder.proxy(through(proxy)?);
    }
    builder
        .build()
        .map_err(|error| EgressError::Tls(root_cause(&error)))
}

/// Everything goes through the proxy but what stays on this machine.
fn through(proxy: &ProxyConfig) -> Result<Proxy, EgressError> {
    let wrong = |error: &dyn std::fmt::Display| EgressError::Proxy(error.to_string());
    let address = Url::parse(proxy.address()).map_err(|error| wrong(&error))?;
    let mut made = Proxy::custom(move |url| (!is_this_machine(url)).then(|| address.clone()))
        .no_proxy(None::<NoProxy>);
    if let Some((user, password)) = proxy.user() {
        made = made.basic_auth(user, password.expose());
    }
    Ok(made)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(ip)) => address::is_loopback(ip.into()),
        Some(Host::Ipv6(ip)) => address::is_loopback(ip.into()),
        None => false,
    }
}

/// Tells the client's errors apart. The URL stands in none of them: its query can be a tenant's data.
pub(super) fn failure(
    error: &reqwest::Error,
    origin: &Origin,
    proxy: Option<&ProxyConfig>,
) -> Failure {
    let host = origin.host().to_string();
    if let Some(refused) = find_cause::<ResolveError>(error) {
        return from_resolving(refused);
    }
    if let Some(tls) = tls_error(error) {
        return Failure::Tls(describe(tls, &host));
    }
    if error.is_builder() {
        return Failure::Other(format!(
            "the request can't be built ({})",
            root_cause(error)
        ));
    }
    if error.is_timeout() && !error.is_connect() {
        return Failure::Timeout;
    }
    if error.is_timeout() {
        let through = proxy.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
        return Failure::Connect(format!(
            "{origin} did not take the connection{through} in time"
        ));
    }
    if let Some(proxy) = proxy
        && let Some(text) = causes(error).find_map(|cause| tunnel_error(cause, origin, proxy))
    {
        return text;
    }
    if causes(error).any(|cause| cause.to_string() == HEAD_TOO_LARGE) {
        return Failure::Limit(Limit::HeaderBytes);
    }
    if error.is_connect() {
        return Failure::Connect(format!("{origin} can't be reached ({})", root_cause(error)));
    }
    if error.is_request() {
        return Failure::Connect(format!(
            "{origin} broke the connection off before it answered ({})",
            root_cause(error)
        ));
    }
    Failure::Other(format!(
        "the request to {origin} failed ({})",
        root_cause(error)
    ))
}

/// A name that leads nowhere is worth another try; one that leads where it must not is refused.
pub(super) fn from_resolving(error: &ResolveError) -> Failure {
    match error {
        ResolveError::Forbidden { .. } => Failure::denied(
            Rule::Address,
            format!("{error}; connectors reach public addresses only"),
        ),
        ResolveError::Nothing { .. } | ResolveError::Failed { .. } => {
            Failure::Connect(error.to_string())
        }
    }
}

/// What the client says of an answer whose header lines are more, or longer, than it takes. Its type for it is not public.
const HEAD_TOO_LARGE: &str = "message head is too large";

/// What went wrong between the host and its proxy. The client's type for it is not public, its words are.
fn tunnel_error(
    cause: &(dyn Error + 'static),
    origin: &Origin,
    proxy: &ProxyConfig,
) -> Option<Failure> {
    let said = cause.to_string();
    let what = said.strip_prefix("tunnel error: ")?;
    Some(match what {
        // Asking again would not help, so these are none that are tried again.
        "proxy authorization required" => Failure::Other(format!(
            "the proxy {proxy} wants a user and password, or other ones: give them with the proxy's address (--proxy)"
        )),
        "unsuccessful" => Failure::Other(format!(
            "the proxy {proxy} refuses to connect to {origin}; it must let CONNECT to that host and port pass"
        )),
        "proxy response headers too long" => Failure::Other(format!(
            "the proxy {proxy} answers CONNECT with more than a proxy does"
        )),
        _ => Failure::Connect(format!(
            "the proxy {proxy} can't be reached ({})",
            root_cause(cause)
        )),
    })
}

/// An error and its causes, the outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause, which says most.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

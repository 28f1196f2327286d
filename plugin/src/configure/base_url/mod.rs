//! The base URL in every form that users paste, made one origin or refused with the reason.
//!
//! No I/O and no guessing about strangers: `api-` is added only to a tenant's name below `paloaltonetworks.com` that lacks
//! it; any other host is taken as typed. What was typed is never repeated in a message beyond its host, because people
//! paste URLs with passwords in them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What to paste, and where to find it; the end of many a message.
const PASTE: &str = "paste the API URL of your tenant, such as https://api-mycompany.xdr.us.paloaltonetworks.com (in the console: Settings > \
                     Configurations > Integrations > API Keys > Copy API URL)";

/// Below it live all tenants of the vendor's cloud.
const VENDOR_DOMAIN: &str = "paloaltonetworks.com";

/// The label before the region, or before the domain where there is no region: the product's names.
const PRODUCTS: [&str; 2] = ["xdr", "crtx"];

/// An origin, and what is worth telling about how it came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// Scheme, host and, where it is not the scheme's own, port; lower case, no slash at the end.
    pub origin: String,
    /// What the user may want to know.
    pub warnings: Vec<String>,
}

/// Makes one origin of what a user typed. The error says what is wrong with it and what to paste instead.
pub fn normalise(typed: &str) -> Result<BaseUrl, String> {
    let text = typed.trim();
    if text.is_empty() {
        return Err(format!("is empty: {PASTE}"));
    }
    if is_placeholder(text) {
        return Err(format!(
            "holds a placeholder of the documentation instead of your tenant's name: {PASTE}"
        ));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("has a blank or a control character in it: {PASTE}"));
    }

    let (scheme, rest) = split_scheme(text)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if authority.contains('@') {
        return Err(format!(
            "has a user name or password before the host, which Cortex XDR does not take: {PASTE}"
        ));
    }
    let (host, port) = split_port(authority)?;
    let mut warnings = Vec::new();
    let host = Host::read(host)?.for_api(&mut warnings)?;

    if scheme == Scheme::Http && !host.is_loopback() {
        return Err(
            "begins with http://, which would carry your data over the network in the open: write https:// (plain http is for a simulator \
             on this machine only)"
                .to_owned(),
        );
    }
    let port = port.filter(|port| *port != scheme.default_port());
    if host.is_vendors() && port.is_some() {
        return Err(format!(
            "names a port, but Cortex XDR answers on port 443 only: {PASTE}"
        ));
    }
    if !host.is_vendors() && !is_ordinary_tail(tail) {
        warnings.push(
            "only scheme, host and port are used; the path after them is left out".to_owned(),
        );
    }

    let mut origin = format!("{}://{}", scheme.name(), host.text());
    if let Some(port) = port {
        origin.push(':');
        origin.push_str(&port.to_string());
    }
    Ok(BaseUrl { origin, warnings })
}

/// "https://api-<fqdn>", "{{fqdn}}", "api-yourfqdn" and the like, as the vendor's pages and other products' forms print them.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let bracketed = lower.contains(['<', '>', '{', '}'])
        || lower.contains("%3c")
        || lower.contains("%7b")
        || lower.contains("[fqdn]");
    let host = lower
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .split(['/', '?', '#', ':'])
        .next()
        .unwrap_or_default();
    let name = host.strip_prefix("api-").unwrap_or(host);
    bracketed || matches!(name, "fqdn" | "yourfqdn" | "your-fqdn" | "$fqdn")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// The scheme and what follows it; https where none is written.
fn split_scheme(text: &str) -> Result<(Scheme, &str), String> {
    if let Some(rest) = text.strip_prefix("//") {
        return Ok((Scheme::Https, rest));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        // A "://" further on belongs to a path or a query.
        if !scheme.contains(['/', '?', '#']) {
            return match scheme.to_ascii_lowercase().as_str() {
                "https" => Ok((Scheme::Https, rest)),
                "http" => Ok((Scheme::Http, rest)),
                _ => Err(format!("has a scheme that is not https: {PASTE}")),
            };
        }
    }
    let lower = text.to_ascii_lowercase();
    let mistyped = ["http:", "https:", "http/", "https/"]
        .iter()
        .any(|start| lower.starts_with(start));
    if mistyped {
        return Err(format!(
            "does not begin with https:// (two slashes after the colon): {PASTE}"
        ));
    }
    Ok((Scheme::Https, text))
}

/// Host and port; an IPv6 address keeps its brackets.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = if authority.starts_with('[') {
        match authority.rfind(']') {
            Some(end) => {
                let (host, after) = authority.split_at(end + 1);
                match (after.is_empty(), after.strip_prefix(':')) {
                    (true, _) => (host, None),
                    (false, Some(port)) => (host, Some(port)),
                    (false, None) => {
                        return Err(
                            "has something after the IPv6 address that is no port".to_owned()
                        );
                    }
                }
            }
            None => return Err("has a bracket that is not closed".to_owned()),
        }
    } else {
        match authority.split_once(':') {
            Some((_, after)) if after.contains(':') => {
                return Err(
                    "looks like an IPv6 address: put it into brackets, such as https://[2001:db8::1]"
                        .to_owned(),
                );
            }
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let port = match port {
        None | Some("") => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
            Ok(0) | Err(_) => return Err("has a port that is not between 1 and 65535".to_owned()),
            Ok(port) => Some(port),
        },
        Some(_) => return Err("has a port that is not a number".to_owned()),
    };
    Ok((host, port))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// Lower case, without a dot at the end.
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Host {
    fn read(text: &str) -> Result<Host, String> {
        if text.is_empty() {
            return Err(format!("names no host: {PASTE}"));
        }
        if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
            let address: Ipv6Addr = inner
                .parse()
                .map_err(|_| "has brackets, but no IPv6 address in them".to_owned())?;
            // Written differently from one library to the next, and always avoidable.
            if let Some(v4) = address.to_ipv4_mapped() {
                return Err(format!("maps an IPv4 address into IPv6: write {v4}"));
            }
            return Ok(Host::V6(address));
        }
        if !text.is_ascii() {
            return Err(
                "has letters outside of ASCII in its host: write the name in its ASCII form (xn--...), and make sure that it is the host \
                 you mean"
                    .to_owned(),
            );
        }
        let lower = text.to_ascii_lowercase();
        let name = lower.strip_suffix('.').unwrap_or(&lower);
        let labels: Vec<&str> = name.split('.').collect();
        let fits = |label: &&str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > 253 || !labels.iter().all(fits) {
            return Err(format!("has a host that is no valid name: {PASTE}"));
        }
        // A name that ends in a number is an address to every resolver, in whatever base it is written.
        let last = labels.last().copied().unwrap_or_default();
        let numeric = last.bytes().all(|b| b.is_ascii_digit())
            || last
                .strip_prefix("0x")
                .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if numeric {
            return name.parse().map(Host::V4).map_err(|_| {
                "has an IPv4 address that is not four numbers from 0 to 255".to_owned()
            });
        }
        Ok(Host::Name(name.to_owned()))
    }

    /// The host that answers API calls: a tenant's console has the same name without `api-`.
    ///
    /// `api-api-` is what comes out when a form's own prefix meets a pasted one (a known bug of other connectors); it is
    /// taken as one. The price: a tenant whose own name begins with `api-` can't be reached, and we know of none.
    fn for_api(self, warnings: &mut Vec<String>) -> Result<Host, String> {
        let Host::Name(name) = self else {
            return Ok(self);
        };
        let below = format!(".{VENDOR_DOMAIN}");
        if name == VENDOR_DOMAIN {
            return Err(format!("is the vendor's web site, not a tenant: {PASTE}"));
        }
        let Some(own) = name.strip_suffix(&below) else {
            return Ok(Host::Name(name));
        };
        let mut tenant = own;
        while let Some(rest) = tenant.strip_prefix("api-") {
            tenant = rest;
        }
        let typed_prefixes = (own.len() - tenant.len()) / "api-".len();
        if tenant.is_empty() || tenant.starts_with(['.', '-']) {
            return Err(format!("has no tenant's name after api-: {PASTE}"));
        }
        if typed_prefixes == 0 && !is_tenant(tenant) {
            return Err(format!(
                "is a host of the vendor, {name}, but not a Cortex XDR tenant: {PASTE}"
            ));
        }
        if typed_prefixes > 1 {
            warnings.push(format!(
                "api- stood before the host {typed_prefixes} times and is taken once"
            ));
        }
        let name = format!("api-{tenant}{below}");
        // Adding the prefix can make the first label too long.
        if name.len() > 253 || name.split('.').next().is_some_and(|label| label.len() > 63) {
            return Err(format!("has a host that is too long: {PASTE}"));
        }
        Ok(Host::Name(name))
    }

    fn is_vendors(&self) -> bool {
        matches!(self, Host::Name(name) if name.ends_with(&format!(".{VENDOR_DOMAIN}")))
    }

    fn is_loopback(&self) -> bool {
        match self {
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::V4(address) => address.is_loopback(),
            Host::V6(address) => address.is_loopback(),
        }
    }

    fn text(&self) -> String {
        match self {
            Host::Name(name) => name.clone(),
            Host::V4(address) => address.to_string(),
            Host::V6(address) => format!("[{address}]"),
        }
    }
}

/// Whether this, below the vendor's domain, is how tenants are named: `mycompany.xdr.us` or, without a region, `mycompany.xdr`.
fn is_tenant(own: &str) -> bool {
    let labels: Vec<&str> = own.split('.').collect();
    match labels.as_slice() {
        [_, product] | [_, product, _] => PRODUCTS.contains(product),
        _ => false,
    }
}

/// What follows the host and says nothing: no path, a slash, or the API's own path.
fn is_ordinary_tail(tail: &str) -> bool {
    let path = tail.trim_end_matches('/');
    path.is_empty() || path == "/public_api" || path.starts_with("/public_api/")
}

#[cfg(test)]
mod tests;

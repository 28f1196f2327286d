//! Who and what a recording speaks of, and the names that they get instead.

use super::ids;
use super::patterns::{self, Found, mac};
use crate::domain::needles::{Match, Needles, replaced};
use crate::personal::Personal;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Words that stand where a name could, and name nobody.
const NOBODY: [&str; 24] = [
    "",
    "-",
    "admin",
    "administrator",
    "com",
    "guest",
    "internal",
    "lan",
    "local",
    "local service",
    "localdomain",
    "localhost",
    "n/a",
    "net",
    "network service",
    "none",
    "nobody",
    "nt authority",
    "null",
    "org",
    "root",
    "system",
    "unknown",
    "workgroup",
];

/// The shortest number that is looked for in running text: a shorter one is any number.
const SHORTEST_NUMBER: usize = 5;

/// All that was collected.
#[derive(Debug, Default)]
pub struct Cast {
    users: BTreeSet<String>,
    hosts: BTreeSet<String>,
    ips: BTreeSet<IpAddr>,
    macs: BTreeSet<[u8; 6]>,
    ids: BTreeSet<String>,
    /// Host names in the form in which they were told.
    full: BTreeSet<String>,
}

fn is_nobody(text: &str) -> bool {
    NOBODY.contains(&text.trim().to_lowercase().as_str())
}

/// A host's name as parts that are named each by itself.
fn labels(host: &str) -> Vec<&str> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if host.chars().all(plain) {
        host.split('.').collect()
    } else {
        vec![host]
    }
}

impl Cast {
    /// Adds a value that the connector's schemas mark.
    pub fn add(&mut self, what: Personal, value: &str) {
        let value = value.trim();
        if is_nobody(value) {
            return;
        }
        match what {
            Personal::User => self.add_user(value),
            Personal::Host => self.add_host(value),
            Personal::Address => {
                if let Ok(ip) = value.parse() {
                    self.ips.insert(ip);
                } else if let Some((bytes, _)) = mac(value) {
                    self.macs.insert(bytes);
                } else {
                    self.add_text(value);
                }
            }
            Personal::Id => {
                self.ids.insert(value.to_lowercase());
            }
        }
    }

    fn add_user(&mut self, value: &str) {
        if let Some((domain, user)) = value.split_once('\\') {
            self.add_host(domain);
            self.add_user(user);
        } else if let Some((user, domain)) = value.split_once('@') {
            self.add_user(user);
            self.add_host(domain);
        } else if !is_nobody(value) {
            self.users.insert(value.to_lowercase());
        }
    }

    fn add_host(&mut self, value: &str) {
        if is_nobody(value) {
            return;
        }
        if let Ok(ip) = value.parse() {
            self.ips.insert(ip);
            return;
        }
        let value = value.to_lowercase();
        for label in labels(&value) {
            if !is_nobody(label) && !label.chars().all(|c| c.is_ascii_digit()) {
                self.hosts.insert(label.to_owned());
            }
        }
        self.full.insert(value);
    }

    /// Adds what looks personal in a text.
    pub fn add_text(&mut self, text: &str) {
        for (_, found) in patterns::find(text) {
            match found {
                Found::Ip(ip) => {
                    self.ips.insert(ip);
                }
                Found::Mac(bytes, _) => {
                    self.macs.insert(bytes);
                }
                Found::Mailbox(local, domain) => {
                    self.add_user(&local);
                    self.add_host(&domain);
                }
                Found::Account(domain, user) => {
                    self.add_host(&domain);
                    self.add_user(&user);
                }
            }
        }
    }

    /// Adds the origin that a configuration leads to: the part of its host's name that is the tenant's.
    pub fn add_origin(&mut self, text: &str) {
        let Ok(url) = url::Url::parse(text) else {
            return;
        };
        if let Some(url::Host::Domain(host)) = url.host() {
            let own = host.split('.').next().unwrap_or(host);
            for name in [own, own.trim_start_matches("api-")] {
                if !is_nobody(name) {
                    self.hosts.insert(name.to_lowercase());
                }
            }
        }
    }

    /// Gives each a name of its own, by draw where order does not matter and in the old order everywhere: what was sorted stays sorted.
    pub fn masked(self, random: &mut dyn FnMut() -> u64) -> Mask {
        let mut names = HashMap::new();
        let ids = ids::others(&self.ids, random);
        numbered("user", &self.users, &mut names);
        numbered("host", &self.hosts, &mut names);
        let (ips, macs) = (ips(&self.ips), macs(&self.macs));
        let mut mask = Mask {
            needles: Needles::new(Match::Words),
            instead: Vec::new(),
            originals: Vec::new(),
            names,
            ids,
            ips,
            macs,
        };
        let mut words: BTreeMap<String, String> = BTreeMap::new();
        for (id, other) in &mask.ids {
            let number = id.chars().all(|c| c.is_ascii_digit());
            if !number || id.len() >= SHORTEST_NUMBER {
                words.insert(id.clone(), other.clone());
            }
        }
        for host in &self.full {
            words.insert(host.clone(), mask.host(host));
        }
        for (name, other) in &mask.names {
            words.insert(name.clone(), other.clone());
        }
        for (word, other) in words {
            mask.needles.add(word.as_bytes());
            mask.originals.push(word);
            mask.instead.push(other);
        }
        mask
    }
}

/// `stem-1`, `stem-2`, in order and equally long. The stem is one that none of the old names begins with.
fn numbered(stem: &str, old: &BTreeSet<String>, names: &mut HashMap<String, String>) {
    let mut stem = stem.to_owned();
    while old.iter().any(|name| name.starts_with(&stem)) {
        stem.insert(0, 'x');
    }
    let width = old.len().to_string().len();
    for (number, name) in old.iter().enumerate() {
        names
            .entry(name.clone())
            .or_insert_with(|| format!("{stem}-{:0width$}", number + 1));
    }
}

fn ips(old: &BTreeSet<IpAddr>) -> HashMap<IpAddr, IpAddr> {
    let mut made = HashMap::new();
    // Private ones stay private, others stay outside of what is private.
    let (mut private, mut public) = (
        u32::from(Ipv4Addr::new(10, 0, 0, 0)),
        u32::from(Ipv4Addr::new(100, 64, 0, 0)),
    );
    let (mut link, mut global) = (0_u128, 0_u128);
    for ip in old {
        let kept = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast();
        let other = match ip {
            _ if kept => *ip,
            IpAddr::V4(v4) if v4.is_broadcast() => *ip,
            IpAddr::V4(v4) => {
                let next = if v4.is_private() || v4.is_link_local() {
                    &mut private
                } else {
                    &mut public
                };
                loop {
                    *next = next.wrapping_add(1);
                    let other = IpAddr::V4(Ipv4Addr::from(*next));
                    if !old.contains(&other) {
                        break other;
                    }
                }
            }
            IpAddr::V6(v6) => {
                let (next, base) = if v6.is_unicast_link_local() {
                    (
                        &mut link,
                        u128::from(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)),
                    )
                } else {
                    (
                        &mut global,
                        u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0)),
                    )
                };
                loop {
                    *next += 1;
                    let other = IpAddr::V6(Ipv6Addr::from(base + *next));
                    if !old.contains(&other) {
                        break other;
                    }
                }
            }
        };
        made.insert(*ip, other);
    }
    made
}

fn macs(old: &BTreeSet<[u8; 6]>) -> HashMap<[u8; 6], [u8; 6]> {
    let mut next = 0_u64;
    old.iter()
        .map(|mac| {
            let other = loop {
                next += 1;
                let [_, _, _, _, _, c, d, e] = next.to_be_bytes();
                let other = [0x02, 0, 0, c, d, e];
                if !old.contains(&other) {
                    break other;
                }
            };
            (*mac, other)
        })
        .collect()
}

/// The names that are told instead.
pub struct Mask {
    needles: Needles,
    instead: Vec<String>,
    originals: Vec<String>,
    /// Of users and hosts.
    names: HashMap<String, String>,
    ids: HashMap<String, String>,
    ips: HashMap<IpAddr, IpAddr>,
    macs: HashMap<[u8; 6], [u8; 6]>,
}

impl Mask {
    fn name(&self, name: &str) -> String {
        let known = self.names.get(&name.trim().to_lowercase());
        known.cloned().unwrap_or_else(|| name.to_owned())
    }

    fn host(&self, host: &str) -> String {
        let labels: Vec<String> = labels(host)
            .into_iter()
            .map(|label| self.name(label))
            .collect();
        labels.join(".")
    }

    fn user(&self, value: &str) -> String {
        if let Some((domain, user)) = value.split_once('\\') {
            format!("{}\\{}", self.host(domain), self.user(user))
        } else if let Some((user, domain)) = value.split_once('@') {
            format!("{}@{}", self.user(user), self.host(domain))
        } else {
            self.name(value)
        }
    }

    fn ip(&self, ip: IpAddr) -> String {
        self.ips.get(&ip).copied().unwrap_or(ip).to_string()
    }

    fn mac(&self, bytes: [u8; 6], between: char) -> String {
        let bytes = self.macs.get(&bytes).copied().unwrap_or(bytes);
        let pieces: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        pieces.join(&between.to_string())
    }

    /// An id's other name, in capitals where the id is.
    fn id(&self, id: &str) -> Option<String> {
        let other = self.ids.get(&id.to_lowercase())?;
        let capitals = id.chars().any(|c| c.is_ascii_uppercase()) && other.len() == id.len();
        Some(if capitals {
            other.to_uppercase()
        } else {
            other.clone()
        })
    }

    /// A marked value under its other name.
    pub fn value(&self, what: Personal, value: &str) -> String {
        let trimmed = value.trim();
        match what {
            Personal::Id => self.id(trimmed).unwrap_or_else(|| self.text(value)),
            Personal::Host => match trimmed.parse::<IpAddr>() {
                Ok(ip) => self.ip(ip),
                Err(_) => self.host(trimmed),
            },
            Personal::User => self.user(trimmed),
            Personal::Address => self.text(value),
        }
    }

    /// A text in which everything has its other name.
    pub fn text(&self, text: &str) -> String {
        // A whole id that nothing marks, as in a checkpoint.
        if text.len() >= SHORTEST_NUMBER
            && let Some(other) = self.id(text)
        {
            return other;
        }
        let mut made = String::with_capacity(text.len());
        let mut at = 0;
        for (range, found) in patterns::find(text) {
            made.push_str(&self.words(text.get(at..range.start).unwrap_or_default()));
            at = range.end;
            made.push_str(&match found {
                Found::Ip(ip) => self.ip(ip),
                Found::Mac(bytes, between) => self.mac(bytes, between),
                Found::Mailbox(local, domain) => {
                    format!("{}@{}", self.user(&local), self.host(&domain))
                }
                Found::Account(domain, user) => {
                    format!("{}\\{}", self.host(&domain), self.user(&user))
                }
            });
        }
        made.push_str(&self.words(text.get(at..).unwrap_or_default()));
        made
    }

    fn words(&self, text: &str) -> String {
        let found = self.needles.find(text.as_bytes());
        if found.is_empty() {
            return text.to_owned();
        }
        let made = replaced(text.as_bytes(), &found, |number| {
            self.instead
                .get(number)
                .map(|other| other.as_bytes().to_vec())
                .unwrap_or_default()
        });
        String::from_utf8_lossy(&made).into_owned()
    }

    /// How many of the old values stand in a text.
    pub fn left_in(&self, text: &str) -> usize {
        let words = self
            .needles
            .find(text.as_bytes())
            .into_iter()
            .filter(|(_, number)| {
                // One whose other name is its own, as among few short ids, says nothing.
                self.instead.get(*number) != self.originals.get(*number)
            });
        let found = patterns::find(text)
            .into_iter()
            .filter(|(_, found)| match found {
                Found::Ip(ip) => self.ips.get(ip).is_some_and(|other| other != ip),
                Found::Mac(bytes, _) => self.macs.get(bytes).is_some_and(|other| other != bytes),
                Found::Mailbox(..) | Found::Account(..) => false,
            });
        words.count() + found.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(values: &[(Personal, &str)]) -> Mask {
        let mut cast = Cast::default();
        for (what, value) in values {
            cast.add(*what, value);
        }
        let mut seed = 7_u64;
        cast.masked(&mut || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed
        })
    }

    #[test]
    fn a_name_is_the_same_everywhere() {
        let mask = mask(&[
            (Personal::Host, "srv-db.corp.example"),
            (Personal::User, "CORP\\anna"),
            (Personal::Address, "10.1.2.3"),
        ]);
        let host = mask.value(Personal::Host, "SRV-DB");
        let user = mask.value(Personal::User, "anna");
        assert!(
            host.starts_with("host-") && user.starts_with("user-"),
            "{host} {user}"
        );
        assert_eq!(
            mask.text("C:\\Users\\anna\\x on SRV-DB"),
            format!("C:\\Users\\{user}\\x on {host}")
        );
        let told = mask.text("CORP\\anna at 10.1.2.3:443 and anna@corp.example");
        for old in ["anna", "CORP", "corp", "10.1.2.3", "example"] {
            assert!(!told.contains(old), "{old} in {told}");
        }
        assert!(mask.left_in("anna") == 1 && mask.left_in(&told) == 0);
    }

    #[test]
    fn ids_keep_their_shape_and_order_and_none_is_an_old_one() {
        let old: Vec<String> = (0..50)
            .map(|number| format!("{:032x}", number * 7 + 3))
            .collect();
        let numbers: Vec<String> = (0..50)
            .map(|number| (100_000 + number).to_string())
            .collect();
        let values: Vec<(Personal, &str)> = old
            .iter()
            .chain(&numbers)
            .map(|id| (Personal::Id, id.as_str()))
            .collect();
        let mask = mask(&values);
        for ids in [&old, &numbers] {
            let made: Vec<String> = ids.iter().map(|id| mask.value(Personal::Id, id)).collect();
            assert!(made.is_sorted(), "{made:?}");
            assert!(
                made.iter()
                    .zip(ids)
                    .all(|(made, id)| made.len() == id.len())
            );
            assert!(made.iter().all(|made| !ids.contains(made)));
            let distinct: BTreeSet<&String> = made.iter().collect();
            assert_eq!(distinct.len(), ids.len());
        }
    }

    #[test]
    fn nobody_in_particular_keeps_the_name() {
        let mask = mask(&[
            (Personal::User, "NT AUTHORITY\\SYSTEM"),
            (Personal::User, "root"),
        ]);
        assert_eq!(mask.value(Personal::User, "root"), "root");
        assert_eq!(mask.text("the system is down"), "the system is down");
    }

    #[test]
    fn private_addresses_stay_private_and_none_is_an_old_one() {
        let old = ["10.0.0.1", "10.0.0.2", "203.0.113.9", "127.0.0.1"];
        let values: Vec<(Personal, &str)> = old.iter().map(|ip| (Personal::Address, *ip)).collect();
        let mask = mask(&values);
        let made: Vec<String> = old.iter().map(|ip| mask.text(ip)).collect();
        assert_eq!(made, ["10.0.0.3", "10.0.0.4", "100.64.0.1", "127.0.0.1"]);
    }
}

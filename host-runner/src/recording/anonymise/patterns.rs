//! What looks like an address, a mailbox or an account, anywhere in a text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An IP address.
    Ip(IpAddr),
    /// A hardware address, and what stands between its bytes.
    Mac([u8; 6], char),
    /// `local@domain`
    Mailbox(String, String),
    /// `DOMAIN\user`
    Account(String, String),
}

/// What is found in a text, in order, without overlaps.
pub fn find(text: &str) -> Vec<(Range<usize>, Found)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(in_word)) {
        let start = from + start;
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        in_one_word(word, start, &mut found);
        from = start + length;
    }
    found
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ':' | '.' | '-' | '_' | '@' | '\\' | '+' | '$')
}

fn in_one_word(word: &str, at: usize, found: &mut Vec<(Range<usize>, Found)>) {
    let ended = word.trim_end_matches(['.', '-']);
    let bare = if ended.ends_with("::") && ended.parse::<Ipv6Addr>().is_ok() {
        // A network's address ends so.
        ended
    } else {
        word.trim_end_matches(['.', ':', '-'])
    };
    let lead = bare.len() - bare.trim_start_matches(['.', '-']).len();
    let bare = bare.get(lead..).unwrap_or_default();
    let whole = at + lead..at + lead + bare.len();
    if let Some((local, domain)) = bare.split_once('@') {
        if !local.is_empty() && domain.contains('.') && !domain.contains(['@', '\\', ':']) {
            found.push((whole, Found::Mailbox(local.to_owned(), domain.to_owned())));
        }
        return;
    }
    if let Some(account) = account(bare) {
        found.push((whole, account));
        return;
    }
    if let Some((bytes, between)) = mac(bare) {
        found.push((whole, Found::Mac(bytes, between)));
        return;
    }
    if bare.matches(':').count() >= 2
        && let Ok(ip) = bare.parse::<Ipv6Addr>()
    {
        found.push((whole, Found::Ip(ip.into())));
        return;
    }
    // With a port, or between other characters of a word.
    let mut from = 0;
    for piece in bare.split([':', '-', '_', '\\', '+', '$']) {
        if let Ok(ip) = piece.parse::<Ipv4Addr>() {
            let start = at + lead + from;
            found.push((start..start + piece.len(), Found::Ip(ip.into())));
        }
        from += piece.len() + 1;
    }
}

/// An account as Windows writes it: the domain in capitals, and no path, file or registry key.
fn account(word: &str) -> Option<Found> {
    let (domain, user) = word.split_once('\\')?;
    let netbios = (2..=15).contains(&domain.len())
        && domain
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
        && !domain.starts_with("HK");
    let named = !user.is_empty() && !user.contains(['\\', ':']) && !is_file(user);
    (netbios && named).then(|| Found::Account(domain.to_owned(), user.to_owned()))
}

fn is_file(name: &str) -> bool {
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| {
        [
            "exe", "dll", "sys", "bat", "cmd", "ps1", "txt", "log", "tmp", "lnk",
        ]
        .contains(&ending.as_str())
    })
}

/// Six bytes in hexadecimal with the same character between all of them.
pub fn mac(text: &str) -> Option<([u8; 6], char)> {
    let between = text.chars().nth(2).filter(|c| matches!(c, ':' | '-'))?;
    let mut bytes = [0; 6];
    let mut pieces = text.split(between);
    for byte in &mut bytes {
        let piece = pieces.next().filter(|piece| piece.len() == 2)?;
        *byte = u8::from_str_radix(piece, 16).ok()?;
    }
    pieces.next().is_none().then_some((bytes, between))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        find(text)
            .into_iter()
            .map(|(range, _)| &text[range])
            .collect()
    }

    #[test]
    fn addresses_mailboxes_and_accounts_are_found_in_running_text() {
        assert_eq!(
            pieces(
                "from 10.1.2.3:443 (fe80::1, 00:11:22:aa:BB:cc) by anna@corp.example. or CORP\\anna"
            ),
            [
                "10.1.2.3",
                "fe80::1",
                "00:11:22:aa:BB:cc",
                "anna@corp.example",
                "CORP\\anna"
            ]
        );
    }

    #[test]
    fn paths_versions_times_and_registry_keys_are_left_alone() {
        let text = "C:\\Users\\x HKLM\\Software at 12:30:45 v10.0.14393 SYSTEM32\\cmd.exe std::vec CVE-2024-1234 7.9.0.123456";
        assert_eq!(pieces(text), [""; 0]);
    }

    #[test]
    fn what_can_be_an_address_is_taken_for_one() {
        assert_eq!(
            pieces("in 2001:db8:7::/64, at fe80::1: and a::b"),
            ["2001:db8:7::", "fe80::1", "a::b"]
        );
    }
}

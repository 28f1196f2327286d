//! What an asset can be identified by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the things that the documents of a connector, and rows of an import, say about who an asset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The id that the source has for it.
    ExternalId,
    /// The name of the machine, without its domain.
    HostName,
    /// The domain that the machine is in.
    Domain,
    /// A hardware address.
    Mac,
    /// A network address.
    Ip,
}

/// A name that is no field's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no field \"{name}\" to identify assets by{}: there is {}", near(.name), Field::names())]
pub struct UnknownField {
    /// What was asked for.
    pub name: String,
}

impl Field {
    /// All of them, in the order in which rules write them.
    pub const ALL: [Self; 5] = [
        Self::ExternalId,
        Self::HostName,
        Self::Domain,
        Self::Mac,
        Self::Ip,
    ];

    /// As the contract and rules write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExternalId => "external-id",
            Self::HostName => "host-name",
            Self::Domain => "domain",
            Self::Mac => "mac",
            Self::Ip => "ip",
        }
    }

    /// The names of all, for a person.
    pub fn names() -> String {
        let names: Vec<&str> = Self::ALL.into_iter().map(Self::name).collect();
        names.join(", ")
    }

    /// The field of that name, exactly as the contract writes it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Field {
    type Err = UnknownField;

    /// As a person types it: in any case, with or without dashes.
    fn from_str(text: &str) -> Result<Self, UnknownField> {
        let typed = plain(text);
        Self::ALL
            .into_iter()
            .find(|field| plain(field.name()) == typed)
            .ok_or_else(|| UnknownField {
                name: text.to_owned(),
            })
    }
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The known name that looks most like it, where one does.
fn near(name: &str) -> String {
    let typed = plain(name);
    Field::ALL
        .into_iter()
        .map(|field| (strsim::jaro_winkler(&plain(field.name()), &typed), field))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, field)| format!(" (did you mean \"{field}\"?)"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_reads_as_it_is_written_and_as_people_type_it() {
        for field in Field::ALL {
            assert_eq!(field.name().parse(), Ok(field));
            assert_eq!(Field::named(field.name()), Some(field));
        }
        assert_eq!("hostName".parse(), Ok(Field::HostName));
        assert_eq!("HOST_NAME".parse(), Ok(Field::HostName));
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_nearest_and_all_that_there_are() {
        let error = "hostnme".parse::<Field>().unwrap_err().to_string();
        assert!(error.contains("did you mean \"host-name\""), "{error}");
        assert!(
            error.contains("external-id, host-name, domain, mac, ip"),
            "{error}"
        );
    }
}

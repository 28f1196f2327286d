//! `--map`: a target model for all data streams, or one data stream's map.

use std::fmt;
use std::str::FromStr;

/// What `--map` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapArgument {
    /// All data streams are mapped to this target model, with the connector's maps for it.
    Target(String),
    /// One data stream is mapped by this map: the name of one of the connector's, or a file.
    Stream {
        /// The data stream.
        stream: String,
        /// A bundled map's name, or the path of a file.
        map: String,
    },
}

/// What was typed is no such thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapArgumentError {
    /// Nothing was given.
    #[error("it is empty: give a target model such as qualys-etm, or STREAM=MAP")]
    Empty,
    /// One side of the equals sign is missing.
    #[error("one side of the `=` is empty: give STREAM=MAP, such as endpoints=my-map.json")]
    Half,
}

impl FromStr for MapArgument {
    type Err = MapArgumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            None if text.trim().is_empty() => Err(MapArgumentError::Empty),
            None => Ok(Self::Target(text.trim().to_owned())),
            Some((stream, map)) if stream.trim().is_empty() || map.trim().is_empty() => {
                Err(MapArgumentError::Half)
            }
            Some((stream, map)) => Ok(Self::Stream {
                stream: stream.trim().to_owned(),
                map: map.to_owned(),
            }),
        }
    }
}

impl fmt::Display for MapArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => f.write_str(target),
            Self::Stream { stream, map } => write!(f, "{stream}={map}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(stream: &str, map: &str) -> MapArgument {
        MapArgument::Stream {
            stream: stream.to_owned(),
            map: map.to_owned(),
        }
    }

    #[test]
    fn a_word_is_a_target_and_a_pair_is_one_streams_map() {
        for (text, meant) in [
            (
                "qualys-etm",
                Ok(MapArgument::Target("qualys-etm".to_owned())),
            ),
            ("endpoints=safe", Ok(stream("endpoints", "safe"))),
            (
                "endpoints=./a=b.json",
                Ok(stream("endpoints", "./a=b.json")),
            ),
            ("", Err(MapArgumentError::Empty)),
            ("  ", Err(MapArgumentError::Empty)),
            ("=safe", Err(MapArgumentError::Half)),
            ("endpoints=", Err(MapArgumentError::Half)),
        ] {
            assert_eq!(text.parse(), meant, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_what_is_written(text in "[a-z]{1,8}(=[a-z./=]{1,12})?") {
            proptest::prop_assert_eq!(text.parse::<MapArgument>().unwrap().to_string(), text);
        }
    }
}

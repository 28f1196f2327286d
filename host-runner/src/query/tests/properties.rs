//! Random texts and random trees.

use proptest::prelude::*;

use super::arbitrary::{asset_query, finding_query};
use super::now;
use crate::query::{AssetQuery, FindingQuery};

/// Pieces that queries are made of, and some that they are not.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z.*]{1,6}",
        proptest::sample::select(vec![
            "asset",
            "finding",
            "name",
            "severity",
            "status",
            "firstSeen",
            "document.a.b",
            "asset.inventory",
            "source",
            ":",
            ">",
            ">=",
            "!=",
            "=",
            "(",
            ")",
            "[",
            "]",
            "..",
            ",",
            "and",
            "or",
            "not",
            "is",
            "null",
            "equals",
            "contains",
            "`",
            "\"",
            "'",
            "`x`",
            "\"a b\"",
            "high",
            "now-7d",
            "2026-01-31",
            "9.8",
            " ",
            "\u{201c}",
            "\u{0}",
            "\u{1f600}",
            "é",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" ").replace(" :", ":"))
}

fn read_both(text: &str) {
    for error in [
        AssetQuery::parse(text, now()).err(),
        FindingQuery::parse(text, now()).err(),
    ]
    .into_iter()
    .flatten()
    {
        let length = text.chars().count();
        assert!(
            error.place.start <= error.place.end && error.place.end <= length,
            "{text}: {error:?}"
        );
        assert!(!error.message.is_empty());
        let picture = error.picture();
        assert_eq!(
            picture.lines().count(),
            if text.is_empty() {
                2
            } else {
                picture.lines().count()
            }
        );
        assert!(picture.contains('^'));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_query_or_is_told_the_place_that_is_wrong(text in "\\PC{0,60}") {
        read_both(&text);
    }

    #[test]
    fn anything_made_of_the_pieces_of_queries_is_one_or_is_told_why_not(text in pieces()) {
        read_both(&text);
    }

    #[test]
    fn a_query_on_assets_reads_back_from_its_text(query in asset_query()) {
        let text = query.to_string();
        match AssetQuery::parse(&text, now()) {
            Ok(read) => prop_assert_eq!(read, query, "{}", text),
            Err(error) => prop_assert!(false, "{}\n{}", error, error.picture()),
        }
    }

    #[test]
    fn a_query_on_findings_reads_back_from_its_text(query in finding_query()) {
        let text = query.to_string();
        match FindingQuery::parse(&text, now()) {
            Ok(read) => prop_assert_eq!(read, query, "{}", text),
            Err(error) => prop_assert!(false, "{}\n{}", error, error.picture()),
        }
    }
}

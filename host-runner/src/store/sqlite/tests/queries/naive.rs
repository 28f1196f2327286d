//! What a query means, said a second time: by going through all that is held.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::domain::{Severity, Timestamp};
use crate::query::*;
use crate::store::*;

/// All that is held, and what reading it out does not tell.
pub(super) struct World {
    pub(super) assets: Vec<Asset>,
    pub(super) findings: Vec<Finding>,
    /// By an asset's key: what identifies it, and the finding source of its document.
    pub(super) identity: HashMap<String, Vec<(String, String)>>,
    pub(super) feeding: HashMap<String, String>,
    /// The findings' documents before the platform fills anything in, by the findings' ids.
    pub(super) stored: HashMap<i64, Value>,
    /// Keys of findings, and members of their documents that the platform fills in.
    pub(super) filled: HashSet<(String, String)>,
}

fn tree<T>(whole: &Tree<T>, holds: &impl Fn(&T) -> bool) -> bool {
    match whole {
        Tree::Is(test) => holds(test),
        Tree::Not(inner) => !tree(inner, holds),
        Tree::All(trees) => trees.iter().all(|part| tree(part, holds)),
        Tree::Any(trees) => trees.iter().any(|part| tree(part, holds)),
    }
}

impl World {
    pub(super) fn asset(&self, query: &AssetQuery, asset: &Asset) -> bool {
        tree(&query.0, &|leaf| match leaf {
            AssetLeaf::Asset(test) => self.asset_test(test, Some(asset)),
            AssetLeaf::AnyFinding(inner) => self
                .on(asset)
                .filter(|finding| asks_for_state(inner) || finding.state == FindingState::Open)
                .any(|finding| tree(inner, &|leaf| self.finding_leaf(leaf, finding))),
        })
    }

    pub(super) fn finding(&self, query: &FindingQuery, finding: &Finding) -> bool {
        tree(&query.0, &|leaf| self.finding_leaf(leaf, finding))
    }

    fn on<'a>(&'a self, asset: &'a Asset) -> impl Iterator<Item = &'a Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.asset == Some(asset.id))
    }

    fn finding_leaf(&self, leaf: &FindingLeaf, finding: &Finding) -> bool {
        match leaf {
            FindingLeaf::Asset(test) => {
                let asset = self
                    .assets
                    .iter()
                    .find(|asset| Some(asset.id) == finding.asset);
                self.asset_test(test, asset)
            }
            FindingLeaf::Finding(FindingTest::Severity(test)) => severity(test, finding.severity),
            FindingLeaf::Finding(FindingTest::State(states)) => {
                states.iter().any(|state| match state {
                    FindingStanding::Open => {
                        finding.state == FindingState::Open && finding.asset.is_some()
                    }
                    FindingStanding::Reopened => {
                        finding.state == FindingState::Open
                            && finding.asset.is_some()
                            && finding.reopened_at.is_some()
                    }
                    FindingStanding::Parked => {
                        finding.state == FindingState::Open && finding.asset.is_none()
                    }
                    FindingStanding::Closed => finding.state == FindingState::Closed,
                    FindingStanding::OutOfScope => finding.state == FindingState::OutOfScope,
                })
            }
            FindingLeaf::Finding(FindingTest::Field(test)) => field(
                test,
                &finding.body,
                |place| finding_texts(finding, *place),
                |place| match place {
                    FindingTime::FirstSeen => vec![finding.first_seen],
                    FindingTime::LastSeen => vec![finding.last_seen],
                    FindingTime::ClosedAt => {
                        let closed = finding.state == FindingState::Closed;
                        finding.closed_at.filter(|_| closed).into_iter().collect()
                    }
                    FindingTime::ReopenedAt => finding.reopened_at.into_iter().collect(),
                    FindingTime::Document(path) => times(&finding.body, path.split('.')),
                    FindingTime::SaidWith(path, beside) => self.said(finding, path, beside, true),
                    FindingTime::SaidWithout(path, beside) => {
                        self.said(finding, path, beside, false)
                    }
                },
            ),
        }
    }

    /// Times that the document itself says, and no placeholder.
    fn said(&self, finding: &Finding, path: &str, beside: &str, with: bool) -> Vec<Timestamp> {
        let pointer = format!("/{}", beside.replace('.', "/"));
        let body = &self.stored[&finding.id];
        let filled_in = self.filled_in(finding, path);
        if filled_in || body.pointer(&pointer).is_some() != with {
            return Vec::new();
        }
        times(body, path.split('.'))
    }

    /// Random rows have placeholders at the top only.
    fn filled_in(&self, finding: &Finding, path: &str) -> bool {
        self.filled
            .contains(&(finding.key.clone(), path.to_owned()))
    }

    fn asset_test(&self, test: &AssetTest, asset: Option<&Asset>) -> bool {
        let Some(asset) = asset else { return false };
        match test {
            AssetTest::State(states) => states.iter().any(|state| match state {
                AssetStanding::Active => asset.state == AssetState::Active,
                AssetStanding::Inactive => asset.state == AssetState::Inactive,
                AssetStanding::OutOfScope => asset.state == AssetState::OutOfScope,
            }),
            AssetTest::Field(test) => field(
                test,
                &asset.body,
                |place| self.asset_texts(asset, *place),
                |place| match place {
                    AssetTime::FirstSeen => vec![asset.first_seen],
                    AssetTime::LastSeen => vec![asset.last_seen],
                    AssetTime::InactiveSince => {
                        let inactive = asset.state == AssetState::Inactive;
                        asset.closed_at.filter(|_| inactive).into_iter().collect()
                    }
                    AssetTime::Document(path) => times(&asset.body, path.split('.')),
                },
            ),
        }
    }

    fn asset_texts(&self, asset: &Asset, place: AssetText) -> Vec<String> {
        let keys = || asset.keys.iter().map(|(_, key)| key.clone());
        let open = || {
            self.on(asset)
                .filter(|finding| finding.state == FindingState::Open)
        };
        match place {
            AssetText::HostName => asset.host_name.iter().cloned().collect(),
            AssetText::Title => asset.title.iter().cloned().collect(),
            AssetText::OnboardingSource => asset.onboarding_source.iter().cloned().collect(),
            AssetText::FeedingSource => keys()
                .filter(|_| asset.state == AssetState::Active)
                .filter_map(|key| self.feeding.get(&key).cloned())
                .collect(),
            // A connection brought each of them, and has no map that names a product.
            AssetText::VendorProduct => named(&asset.facets, "vendor-product"),
            AssetText::FindingSource => open()
                .filter_map(|finding| finding.finding_source.clone())
                .collect(),
            AssetText::FindingFacet(name) => open()
                .flat_map(|finding| named(&finding.facets, name))
                .collect(),
            AssetText::Identity(name) => keys()
                .flat_map(|key| named(&self.identity[&key], name))
                .collect(),
            AssetText::Key => keys().collect(),
            AssetText::Connection => keys().map(|_| "prod".to_owned()).collect(),
            AssetText::Stream => keys().map(|_| "endpoints".to_owned()).collect(),
            AssetText::Document(path) => texts(&asset.body, path.split('.')),
            AssetText::Ipv4(path) => {
                let mut values = texts(&asset.body, path.split('.'));
                values.retain(|value| value.contains('.') && !value.contains(':'));
                values
            }
            AssetText::Ipv6(path) => {
                let mut values = texts(&asset.body, path.split('.'));
                values.retain(|value| value.contains(':'));
                values
            }
        }
    }
}

fn finding_texts(finding: &Finding, place: FindingText) -> Vec<String> {
    match place {
        FindingText::Title => finding.title.iter().cloned().collect(),
        FindingText::HostName => finding.host_name.iter().cloned().collect(),
        FindingText::FindingSource => finding.finding_source.iter().cloned().collect(),
        FindingText::Key => vec![finding.key.clone()],
        FindingText::Record => vec![finding.record.clone()],
        FindingText::AssetKey => finding.asset_key.iter().cloned().collect(),
        FindingText::Connection => vec!["prod".to_owned()],
        FindingText::Stream => vec![finding.stream.as_str().to_owned()],
        FindingText::Facet(name) => named(&finding.facets, name),
        FindingText::Document(path) => texts(&finding.body, path.split('.')),
    }
}

fn named(pairs: &[(String, String)], name: &str) -> Vec<String> {
    pairs
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.clone())
        .collect()
}

fn field<X, M>(
    test: &FieldTest<X, M>,
    body: &Value,
    texts_at: impl Fn(&X) -> Vec<String>,
    times_at: impl Fn(&M) -> Vec<Timestamp>,
) -> bool {
    match test {
        FieldTest::Text(at, patterns) => {
            let values: Vec<String> = match at {
                At::Field(_, places) => places.iter().flat_map(texts_at).collect(),
                At::Document(path) => texts(body, path.names()),
            };
            match patterns {
                None => !values.is_empty(),
                Some(patterns) => values
                    .iter()
                    .any(|value| patterns.iter().any(|pattern| matches(pattern, value))),
            }
        }
        FieldTest::Time(at, test) => {
            let values: Vec<Timestamp> = match at {
                At::Field(_, places) => places.iter().flat_map(times_at).collect(),
                At::Document(path) => times(body, path.names()),
            };
            values
                .iter()
                .map(|time| time.as_i64())
                .any(|ms| match test {
                    Ordered::Known => true,
                    Ordered::OneOf(moments) => moments
                        .iter()
                        .any(|it| (it.from_ms()..it.until_ms()).contains(&ms)),
                    Ordered::Than(sign, moment) => {
                        than(*sign, ms, (moment.from_ms(), moment.until_ms() - 1))
                    }
                    Ordered::Between(low, high) => {
                        let ends = |moment: &Moment| (moment.from_ms(), moment.until_ms() - 1);
                        than(above(low), ms, ends(&low.value))
                            && than(below(high), ms, ends(&high.value))
                    }
                })
        }
        FieldTest::Number(at, test) => {
            let values: Vec<f64> = match at {
                At::Field(_, places) => places
                    .iter()
                    .flat_map(|place| numbers(body, place.0.split('.')))
                    .collect(),
                At::Document(path) => numbers(body, path.names()),
            };
            values.into_iter().any(|value| {
                ordered(
                    test,
                    |it| it.as_f64() == value,
                    |sign, it| than(sign, value, (it.as_f64(), it.as_f64())),
                )
            })
        }
    }
}

fn severity(test: &Ordered<Severity, Level>, value: Severity) -> bool {
    let ranked = value != Severity::Unknown;
    match test {
        Ordered::Known => ranked,
        test => ordered(
            test,
            |it| *it == value,
            |sign, it| ranked && than(sign, value, (it.severity(), it.severity())),
        ),
    }
}

fn ordered<V, R>(
    test: &Ordered<V, R>,
    is: impl Fn(&V) -> bool,
    than: impl Fn(Comparison, &R) -> bool,
) -> bool {
    match test {
        Ordered::Known => true,
        Ordered::OneOf(values) => values.iter().any(is),
        Ordered::Than(sign, value) => than(*sign, value),
        Ordered::Between(low, high) => {
            than(above(low), &low.value) && than(below(high), &high.value)
        }
    }
}

fn above<T>(low: &Bound<T>) -> Comparison {
    if low.included {
        Comparison::AtLeast
    } else {
        Comparison::More
    }
}

fn below<T>(high: &Bound<T>) -> Comparison {
    if high.included {
        Comparison::AtMost
    } else {
        Comparison::Less
    }
}

/// How a value compares to what begins and ends so.
fn than<T: PartialOrd>(sign: Comparison, value: T, (first, last): (T, T)) -> bool {
    match sign {
        Comparison::Less => value < first,
        Comparison::AtMost => value <= last,
        Comparison::More => value > last,
        Comparison::AtLeast => value >= first,
    }
}

fn matches(pattern: &Pattern, value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let contains = |phrase: &Phrase| lower.contains(&phrase.as_str().to_ascii_lowercase());
    match pattern {
        Pattern::Whole(text) => value.eq_ignore_ascii_case(text),
        Pattern::Contains(phrase) => contains(phrase),
        Pattern::ContainsAll(first, rest) => contains(first) && rest.iter().all(contains),
        Pattern::Matches(wildcard) => wild(&wildcard.as_str().to_ascii_lowercase(), &lower),
    }
}

fn wild(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| wild(rest, &text[at..]))
        }),
    }
}

/// The values at a path, lists gone through.
fn at<'v, 'p>(body: &'v Value, path: impl Iterator<Item = &'p str>) -> Vec<&'v Value> {
    let mut here = vec![body];
    for name in path {
        here = here
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(|object| {
                object
                    .iter()
                    .filter(move |(known, _)| name == "*" || *known == name)
                    .map(|(_, value)| value)
            })
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect(),
                other => vec![other],
            })
            .collect();
    }
    here
}

fn texts<'p>(body: &Value, path: impl Iterator<Item = &'p str>) -> Vec<String> {
    at(body, path)
        .into_iter()
        .filter_map(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        })
        .collect()
}

fn times<'p>(body: &Value, path: impl Iterator<Item = &'p str>) -> Vec<Timestamp> {
    at(body, path)
        .into_iter()
        .filter_map(|value| match value {
            Value::String(text) => Timestamp::from_rfc3339(text).ok(),
            value => value.as_i64().and_then(|ms| Timestamp::from_i64(ms).ok()),
        })
        .collect()
}

fn numbers<'p>(body: &Value, path: impl Iterator<Item = &'p str>) -> Vec<f64> {
    at(body, path)
        .into_iter()
        .filter_map(Value::as_f64)
        .collect()
}

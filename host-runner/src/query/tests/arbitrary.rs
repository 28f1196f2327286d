//! Random queries that hold together.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::now;
use crate::domain::{Severity, Timestamp};
use crate::query::fields::{ASSET, AssetKind, FINDING, FindingKind};
use crate::query::*;

/// Words that values in tests are made of, so that some match.
pub(crate) const WORDS: [&str; 10] = [
    "web",
    "Web-1",
    "db",
    "50%",
    "a_b",
    "x*y",
    "C:\\bin",
    "it's",
    "say \"hi\"",
    "back`tick",
];

pub(crate) fn asset_query() -> impl Strategy<Value = AssetQuery> {
    tree(asset_leaf()).prop_map(AssetQuery)
}

pub(crate) fn finding_query() -> impl Strategy<Value = FindingQuery> {
    tree(finding_leaf()).prop_map(FindingQuery)
}

fn tree<T: Clone + std::fmt::Debug + 'static>(
    leaf: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Tree<T>> {
    leaf.prop_map(Tree::Is).prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Tree::negated),
            (inner.clone(), vec(inner.clone(), 1..3)).prop_map(|(a, b)| Tree::all(a, b)),
            (inner.clone(), vec(inner, 1..3)).prop_map(|(a, b)| Tree::any_of(a, b)),
        ]
    })
}

fn asset_leaf() -> impl Strategy<Value = AssetLeaf> {
    prop_oneof![
        3 => asset_test().prop_map(AssetLeaf::Asset),
        1 => tree(finding_leaf()).prop_map(|tree| AssetLeaf::AnyFinding(Box::new(tree))),
    ]
}

fn finding_leaf() -> impl Strategy<Value = FindingLeaf> {
    prop_oneof![
        3 => finding_test().prop_map(FindingLeaf::Finding),
        1 => asset_test().prop_map(FindingLeaf::Asset),
    ]
}

fn asset_test() -> impl Strategy<Value = AssetTest> {
    let fields = (0..ASSET.len()).prop_flat_map(|at| {
        let field = &ASSET[at];
        match field.kind {
            AssetKind::Text(places) => text(At::Field(field.name, places))
                .prop_map(AssetTest::Field)
                .boxed(),
            AssetKind::Time(places) => moments()
                .prop_map(move |test| {
                    AssetTest::Field(FieldTest::Time(At::Field(field.name, places), test))
                })
                .boxed(),
            AssetKind::State => several(select(vec![
                AssetStanding::Active,
                AssetStanding::Inactive,
                AssetStanding::OutOfScope,
            ]))
            .prop_map(AssetTest::State)
            .boxed(),
        }
    });
    prop_oneof![4 => fields, 1 => document().prop_map(AssetTest::Field)]
}

fn finding_test() -> impl Strategy<Value = FindingTest> {
    let fields = (0..FINDING.len()).prop_flat_map(|at| {
        let field = &FINDING[at];
        match field.kind {
            FindingKind::Text(places) => text(At::Field(field.name, places))
                .prop_map(FindingTest::Field)
                .boxed(),
            FindingKind::Time(places) => moments()
                .prop_map(move |test| {
                    FindingTest::Field(FieldTest::Time(At::Field(field.name, places), test))
                })
                .boxed(),
            FindingKind::Number(places) => numbers()
                .prop_map(move |test| {
                    FindingTest::Field(FieldTest::Number(At::Field(field.name, places), test))
                })
                .boxed(),
            FindingKind::Severity => severities().prop_map(FindingTest::Severity).boxed(),
            FindingKind::State => several(select(vec![
                FindingStanding::Open,
                FindingStanding::Reopened,
                FindingStanding::Parked,
                FindingStanding::Closed,
                FindingStanding::OutOfScope,
            ]))
            .prop_map(FindingTest::State)
            .boxed(),
        }
    });
    prop_oneof![4 => fields, 1 => document().prop_map(FindingTest::Field)]
}

/// Any place of a document: texts as they are; times and numbers only compared, as only then they are told apart.
fn document<X: Clone + std::fmt::Debug + 'static, M: Clone + std::fmt::Debug + 'static>()
-> impl Strategy<Value = FieldTest<X, M>> {
    let path = || {
        select(vec![
            "tags",
            "n.m",
            "n.list",
            "deep.er.still",
            "score",
            "at",
            "custom-1 x",
        ])
    };
    let path = move || path().prop_map(|path| Path::parse(path).unwrap());
    let compared =
        |test: &Ordered<Number>| matches!(test, Ordered::Than(..) | Ordered::Between(..));
    let compared_time = |test: &Ordered<Moment>| match test {
        // Four digits alone are a number here.
        Ordered::Than(_, low) => low.to_string().len() > 4,
        Ordered::Between(low, _) => low.value.to_string().len() > 4,
        _ => false,
    };
    prop_oneof![
        path().prop_flat_map(|path| text(At::Document(path))),
        (path(), numbers().prop_filter("compared", compared))
            .prop_map(|(path, test)| FieldTest::Number(At::Document(path), test)),
        (path(), moments().prop_filter("compared", compared_time))
            .prop_map(|(path, test)| FieldTest::Time(At::Document(path), test)),
    ]
}

fn text<X: Clone + std::fmt::Debug + 'static, M: Clone + std::fmt::Debug + 'static>(
    at: At<X>,
) -> impl Strategy<Value = FieldTest<X, M>> {
    proptest::option::weighted(0.8, several(pattern()))
        .prop_map(move |patterns| FieldTest::Text(at.clone(), patterns))
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let any =
        || prop_oneof![2 => select(WORDS.to_vec()).prop_map(str::to_owned), 1 => "[ -~äß]{1,8}"];
    let bare = || {
        prop_oneof![
            select(vec!["web", "db", "1", "a_b"]).prop_map(str::to_owned),
            "[a-z0-9%_/-]{1,3}"
        ]
        .prop_filter("no keyword", |word| {
            !["and", "or", "not", "null", "is"].contains(&word.as_str())
        })
        .prop_map(|word| Phrase::new(&word).unwrap())
    };
    prop_oneof![
        any().prop_map(Pattern::Whole),
        any().prop_map(|text| Pattern::loose(&text).unwrap()),
        any().prop_map(|text| Pattern::containing(&text).unwrap()),
        (bare(), vec(bare(), 1..3)).prop_map(|(first, mut rest)| {
            let second = rest.remove(0);
            Pattern::ContainsAll(first, Several::new(second, rest))
        }),
    ]
}

fn moment() -> impl Strategy<Value = Moment> {
    let now = now().as_i64();
    (now - 40 * 86_400_000..now, 0..5_usize).prop_map(|(ms, cut)| {
        let text = Timestamp::from_i64(ms).unwrap().to_rfc3339();
        let text = [&text[..4], &text[..7], &text[..10], &text[..19], &text][cut];
        Moment::parse(text, super::now()).unwrap()
    })
}

fn moments() -> impl Strategy<Value = Ordered<Moment>> {
    ordered(moment(), moment(), |moment| moment.from_ms() as f64)
}

fn numbers() -> impl Strategy<Value = Ordered<Number>> {
    let number = || {
        prop_oneof![
            (-20..20_i32).prop_map(|n| n.to_string()),
            (0..100_i32).prop_map(|n| format!("{}", f64::from(n) / 10.0))
        ]
        .prop_map(|text| Number::parse(&text).unwrap())
    };
    ordered(number(), number(), |number| number.as_f64())
}

fn severities() -> impl Strategy<Value = Ordered<Severity, Level>> {
    let levels = || {
        select(
            Severity::ALL
                .into_iter()
                .filter_map(Level::new)
                .collect::<Vec<_>>(),
        )
    };
    ordered(select(Severity::ALL.to_vec()), levels(), |level| {
        level.severity() as u8 as f64
    })
}

fn several<T: Clone + std::fmt::Debug + 'static>(
    one: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Several<T>> {
    let one = one.boxed();
    (one.clone(), vec(one, 0..3)).prop_map(|(first, rest)| Several::new(first, rest))
}

fn ordered<V: Clone + std::fmt::Debug + 'static, R: Copy + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = V> + 'static,
    ranked: impl Strategy<Value = R> + 'static,
    rank: fn(&R) -> f64,
) -> impl Strategy<Value = Ordered<V, R>> {
    let ranked = ranked.boxed();
    let value = value.boxed();
    let sign = select(vec![
        Comparison::Less,
        Comparison::AtMost,
        Comparison::More,
        Comparison::AtLeast,
    ]);
    let ends = (ranked.clone(), ranked.clone(), any::<bool>(), any::<bool>());
    prop_oneof![
        1 => Just(Ordered::Known),
        3 => several(value).prop_map(Ordered::OneOf),
        3 => (sign, ranked).prop_map(|(sign, value)| Ordered::Than(sign, value)),
        2 => ends.prop_map(move |(a, b, low, high)| {
            let (a, b) = if rank(&a) <= rank(&b) { (a, b) } else { (b, a) };
            Ordered::Between(Bound { value: a, included: low }, Bound { value: b, included: high })
        }),
    ]
}

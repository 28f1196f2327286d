//! When a rule holds.

use super::value::Value;
use crate::decimal::decimal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A condition. `P` is how its source is named: a path as it is written, a lookup once compiled.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition<P> {
    /// Whether the source's value passes the test; of several values, whether any does.
    Test(P, Test),
    /// Whether the platform has a custom field of exactly this name.
    CustomField(String),
    Not(Box<Condition<P>>),
    Any(Vec<Condition<P>>),
    All(Vec<Condition<P>>),
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// It equals one of these.
    In(Vec<Value<'static>>),
    /// It has this form.
    Is(Shape),
    /// There is one, or there is none.
    Present(bool),
}

/// Forms that text can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    CveId,
    Ipv4,
    Ipv6,
    Ip,
    Mac,
    Number,
    AttackTactic,
    AttackTechnique,
    AttackSubTechnique,
}

impl Shape {
    /// As maps write them.
    pub(super) const NAMES: [&'static str; 9] = [
        "attack-sub-technique",
        "attack-tactic",
        "attack-technique",
        "cve-id",
        "ip",
        "ipv4",
        "ipv6",
        "mac",
        "number",
    ];

    /// The form of this name.
    pub(super) fn by_name(name: &str) -> Option<Shape> {
        Some(match name {
            "cve-id" => Shape::CveId,
            "ip" => Shape::Ip,
            "ipv4" => Shape::Ipv4,
            "ipv6" => Shape::Ipv6,
            "mac" => Shape::Mac,
            "number" => Shape::Number,
            "attack-tactic" => Shape::AttackTactic,
            "attack-technique" => Shape::AttackTechnique,
            "attack-sub-technique" => Shape::AttackSubTechnique,
            _ => return None,
        })
    }

    fn fits(self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Shape::Number, Value::Unsigned(_) | Value::Signed(_) | Value::Float(_)) => true,
            (Shape::Number, Value::Text(text)) => decimal(text.trim()).is_some(),
            (Shape::CveId, Value::Text(text)) => is_cve_id(text),
            (Shape::Ip, Value::Text(text)) => text.parse::<IpAddr>().is_ok(),
            (Shape::Ipv4, Value::Text(text)) => text.parse::<Ipv4Addr>().is_ok(),
            (Shape::Ipv6, Value::Text(text)) => text.parse::<Ipv6Addr>().is_ok(),
            (Shape::Mac, Value::Text(text)) => is_mac(text),
            (Shape::AttackTactic, Value::Text(text)) => is_attack_id(text, &["TA####"]),
            (Shape::AttackTechnique, Value::Text(text)) => {
                is_attack_id(text, &["T####", "T####.###"])
            }
            (Shape::AttackSubTechnique, Value::Text(text)) => is_attack_id(text, &["T####.###"]),
            _ => false,
        }
    }
}

/// "CVE-", four digits, "-", four digits or more: the form that the CVE programme gives.
fn is_cve_id(text: &str) -> bool {
    let digits = |piece: &str| piece.bytes().all(|byte| byte.is_ascii_digit());
    let mut pieces = text.split('-');
    let (word, year, number) = (pieces.next(), pieces.next(), pieces.next());
    word == Some("CVE")
        && year.is_some_and(|year| year.len() == 4 && digits(year))
        && number.is_some_and(|number| number.len() >= 4 && digits(number))
        && pieces.next().is_none()
}

/// An identifier of MITRE ATT&CK in one of these forms, alone or with a space and more text behind it.
fn is_attack_id(text: &str, forms: &[&str]) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    let fits = |form: &&str| {
        let mut pairs = form.bytes().zip(word.bytes());
        form.len() == word.len()
            && pairs.all(|(form, byte)| match form {
                b'#' => byte.is_ascii_digit(),
                form => form == byte,
            })
    };
    forms.iter().any(fits)
}

/// Six pairs of hexadecimal digits between colons or dashes.
fn is_mac(text: &str) -> bool {
    let pieces: Vec<&str> = text.split([':', '-']).collect();
    pieces.len() == 6
        && pieces
            .iter()
            .all(|piece| piece.len() == 2 && piece.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl Test {
    /// Whether values, as far as there are any, pass.
    pub(super) fn passes(&self, values: &[&Value<'_>]) -> bool {
        let mut present = values.iter().flat_map(|value| match value {
            Value::List(items) => items.as_slice(),
            value => std::slice::from_ref(*value),
        });
        match self {
            Test::In(expected) => present.any(|value| expected.contains(value)),
            Test::Is(shape) => present.any(|value| shape.fits(value)),
            Test::Present(wanted) => present.any(|value| !value.is_absent()) == *wanted,
        }
    }
}

impl<P> Condition<P> {
    /// The same condition with its sources named in another way, and what the platform decides decided. Each source is tried, so
    /// that all that are wrong are told.
    pub(super) fn resolve<Q>(
        &self,
        custom_fields: &[String],
        change: &mut impl FnMut(&P) -> Option<Q>,
    ) -> Option<Condition<Q>> {
        let mut each = |all: &[Condition<P>]| {
            let changed: Vec<_> = all
                .iter()
                .map(|one| one.resolve(custom_fields, &mut *change))
                .collect();
            changed.into_iter().collect::<Option<Vec<_>>>()
        };
        Some(match self {
            Condition::Any(all) => Condition::Any(each(all)?),
            Condition::All(all) => Condition::All(each(all)?),
            Condition::Not(inner) => {
                Condition::Not(Box::new(inner.resolve(custom_fields, &mut *change)?))
            }
            Condition::Test(source, test) => Condition::Test(change(source)?, test.clone()),
            Condition::CustomField(name) if custom_fields.contains(name) => {
                Condition::All(Vec::new())
            }
            Condition::CustomField(_) => Condition::Any(Vec::new()),
        })
    }

    /// Whether all its sources are of this kind.
    pub(super) fn all_sources(&self, is: &impl Fn(&P) -> bool) -> bool {
        match self {
            Condition::Test(source, _) => is(source),
            Condition::CustomField(_) => true,
            Condition::Not(inner) => inner.all_sources(is),
            Condition::Any(all) | Condition::All(all) => all.iter().all(|one| one.all_sources(is)),
        }
    }

    /// Whether it holds, given how to answer a test.
    pub(super) fn holds(&self, test: &mut impl FnMut(&P, &Test) -> bool) -> bool {
        match self {
            Condition::Test(source, asked) => test(source, asked),
            Condition::CustomField(_) => false,
            Condition::Not(inner) => !inner.holds(&mut *test),
            Condition::Any(all) => all.iter().any(|one| one.holds(&mut *test)),
            Condition::All(all) => all.iter().all(|one| one.holds(&mut *test)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        let fits = |shape: Shape, text: &str| shape.fits(&Value::Text(text.into()));
        for (text, yes) in [
            ("CVE-2024-1234", true),
            ("CVE-2024-1234567", true),
            ("cve-2024-1234", false),
            ("CVE-2024-123", false),
            ("CVE-24-1234", false),
            ("CVE-2024-1234-x", false),
            ("PAN-SA-2024-0001", false),
            ("", false),
        ] {
            assert_eq!(fits(Shape::CveId, text), yes, "{text}");
        }
        for (text, tactic, technique, sub_technique) in [
            ("TA0011 - Command and Control", true, false, false),
            ("TA0011", true, false, false),
            ("T1071 - Application Layer Protocol", false, true, false),
            ("T1059.001 - PowerShell", false, true, true),
            ("T1059.001", false, true, true),
            ("T1059.01 - x", false, false, false),
            ("T1059: x", false, false, false),
            ("TA001 - x", false, false, false),
            ("Command and Control", false, false, false),
            ("", false, false, false),
        ] {
            let found = [
                Shape::AttackTactic,
                Shape::AttackTechnique,
                Shape::AttackSubTechnique,
            ]
            .map(|shape| fits(shape, text));
            assert_eq!(found, [tactic, technique, sub_technique], "{text}");
        }
        assert!(fits(Shape::Mac, "00:50:56:ab:CD:ef") && !fits(Shape::Mac, "00:50:56:ab:cd"));
        assert!(
            fits(Shape::Ipv4, "10.0.0.1")
                && !fits(Shape::Ipv4, "fe80::1")
                && fits(Shape::Ip, "fe80::1")
        );
        assert!(fits(Shape::Number, "9.8") && !fits(Shape::Number, "nan"));
    }

    #[test]
    fn of_several_values_any_may_pass() {
        let list = Value::List(vec![Value::Text("a".into()), Value::Text("b".into())]);
        assert!(Test::In(vec![Value::Text("b".into())]).passes(&[&list]));
        assert!(Test::Present(true).passes(&[&Value::Null, &list]));
        assert!(Test::Present(false).passes(&[&Value::Text("".into())]));
        assert!(Test::Present(false).passes(&[]));
    }
}

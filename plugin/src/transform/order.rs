//! In which order rules are carried out: as the map has them, but what joins on a value comes behind what writes that value.

use super::plan::{Align, Rule};

/// Whether two rules write into elements of the same list.
fn together(rule: &Rule, other: &Rule) -> bool {
    let mut lists = rule.lists.iter().zip(&other.lists);
    rule.lists.len() == other.lists.len() && lists.all(|((one, _), (two, _))| one == two)
}

/// Whether a rule comes behind another wherever that one stands. What goes into every element comes last anyway.
fn waits(rule: &Rule, other: &Rule) -> bool {
    match rule.align {
        Align::Value(leaf) => {
            leaf != rule.leaf
                && leaf == other.leaf
                && other.align != Align::Each
                && together(rule, other)
        }
        _ => false,
    }
}

/// Puts rules in order. Fails with a rule, by its place in the map, that would have to come before itself.
pub(super) fn arranged(mut rules: Vec<Rule>) -> Result<Vec<Rule>, usize> {
    let mut arranged = Vec::with_capacity(rules.len());
    while let Some(first) = rules.first() {
        let stuck = first.index;
        let ready = rules.iter().enumerate().position(|(at, rule)| {
            // Of rules for one place the first that has a value wins: these stay in the map's order.
            let follows = |other: &Rule| rule.leaf == other.leaf && together(rule, other);
            !rules.iter().take(at).any(follows) && !rules.iter().any(|other| waits(rule, other))
        });
        arranged.push(rules.remove(ready.ok_or(stuck)?));
    }
    Ok(arranged)
}

//! In which order rules are carried out: as the map has them, but what joins on a value comes behind what writes that value.

use super::plan::{Align, Rule};

/// Whether two rules write into elements of the same list.
fn together(rule: &Rule, other: &Rule) -> bool {
    let mut lists = rule.lists.iter().zip(&other.lists);
    rule.lists.len() == other.lists.len() && lists.all(|((one, _), (two, _))| one == two)
}

/// Whether a rule comes behind one of others wherever that stands. What goes into every element comes last anyway.
fn waits<'r>(rule: &Rule, mut others: impl Iterator<Item = &'r Rule>) -> bool {
    match rule.align {
        Align::Value(leaf) if leaf != rule.leaf => others
            .any(|other| leaf == other.leaf && other.align != Align::Each && together(rule, other)),
        _ => false,
    }
}

/// Puts rules in order. Fails with a rule, by its place in the map, that would have to come before itself.
pub(super) fn arranged(mut rules: Vec<Rule>) -> Result<Vec<Rule>, usize> {
    // Most maps are in order, and then this costs next to nothing.
    let mut places = rules.iter().enumerate();
    if !places.any(|(at, rule)| waits(rule, rules.iter().skip(at))) {
        return Ok(rules);
    }
    let mut arranged = Vec::with_capacity(rules.len());
    while let Some(first) = rules.first() {
        let stuck = first.index;
        let ready = rules.iter().enumerate().position(|(at, rule)| {
            // Of rules for one place the first that has a value wins: these stay in the map's order.
            let follows = |other: &Rule| rule.leaf == other.leaf && together(rule, other);
            !rules.iter().take(at).any(follows) && !waits(rule, rules.iter())
        });
        arranged.push(rules.remove(ready.ok_or(stuck)?));
    }
    Ok(arranged)
}

//! In which order rules are carried out: as the map has them, but what joins on a value comes behind what writes that value.

use super::plan::{Align, Rule};
use std::collections::BTreeMap;

/// A value of the elements of a list, or of lists within lists.
type Spot = (Vec<usize>, usize);

/// The spot of a value in the elements that a rule writes into.
fn spot(rule: &Rule, leaf: usize) -> Spot {
    (rule.lists.iter().map(|(list, _)| *list).collect(), leaf)
}

/// What a rule joins on, where that is not what it writes itself.
fn joins_on(rule: &Rule) -> Option<Spot> {
    match rule.align {
        Align::Value(leaf) if leaf != rule.leaf => Some(spot(rule, leaf)),
        _ => None,
    }
}

/// Puts rules in order. Fails with a rule, by its place in the map, that would have to come before itself.
pub(super) fn arranged(rules: Vec<Rule>) -> Result<Vec<Rule>, usize> {
    // How many rules are still to come that write a spot. What goes into every element comes last anyway.
    let mut left: BTreeMap<Spot, usize> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.align != Align::Each) {
        *left.entry(spot(rule, rule.leaf)).or_default() += 1;
    }
    let mut arranged = Vec::with_capacity(rules.len());
    // In the map's order. Only what waits for a rule further down stays in it.
    let mut waiting: Vec<Rule> = Vec::new();
    for rule in rules {
        waiting.push(rule);
        while let Some(at) = first_ready(&waiting, &left) {
            let rule = waiting.remove(at);
            if let Some(left) = left.get_mut(&spot(&rule, rule.leaf))
                && rule.align != Align::Each
            {
                *left = left.saturating_sub(1);
            }
            arranged.push(rule);
        }
    }
    match waiting.first() {
        Some(stuck) => Err(stuck.index),
        None => Ok(arranged),
    }
}

fn first_ready(waiting: &[Rule], left: &BTreeMap<Spot, usize>) -> Option<usize> {
    waiting.iter().enumerate().position(|(at, rule)| {
        // Of rules for one spot the first that has a value wins: these stay in the map's order.
        let own = spot(rule, rule.leaf);
        let follows = |other: &Rule| spot(other, other.leaf) == own;
        let joins = joins_on(rule).and_then(|spot| left.get(&spot));
        !waiting.iter().take(at).any(follows) && joins.is_none_or(|left| *left == 0)
    })
}

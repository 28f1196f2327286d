//! Where the values of a document stand: target paths made into places.

use super::path::Segment;
use super::plan::{Object, Scope, Shape};

/// Makes a place for a value, and tells the lists on the way. Fails where a value and an object or a list would share a place.
pub(super) fn insert(
    scope: &mut Scope,
    segments: &[Segment],
    lists: &mut Vec<usize>,
) -> Result<usize, ()> {
    let (below, rest) = descend(scope, segments, lists)?;
    match below {
        Below::Scope(inner) => insert(inner, rest, lists),
        Below::Leaf(leaf) => Ok(leaf),
    }
}

/// Makes a place for a list.
pub(super) fn insert_list(
    scope: &mut Scope,
    segments: &[Segment],
    lists: &mut Vec<usize>,
) -> Result<(), ()> {
    match descend(scope, segments, lists)? {
        (Below::Scope(_), []) => Ok(()),
        (Below::Scope(inner), rest) => insert_list(inner, rest, lists),
        (Below::Leaf(_), _) => Err(()),
    }
}

enum Below<'s> {
    /// An element of a list.
    Scope(&'s mut Scope),
    Leaf(usize),
}

/// Goes down to the next list or to the value.
fn descend<'s, 'p>(
    scope: &'s mut Scope,
    segments: &'p [Segment],
    places: &mut Vec<usize>,
) -> Result<(Below<'s>, &'p [Segment]), ()> {
    let Scope {
        leaves,
        lists,
        shape,
    } = scope;
    let mut shape = shape;
    let mut rest = segments;
    while let Some((segment, below)) = rest.split_first() {
        let Shape::Object(object) = shape else {
            return Err(());
        };
        shape = object
            .keys
            .entry(segment.name.clone())
            .or_insert_with(|| Shape::Object(Object::default()));
        rest = below;
        if segment.list {
            let fresh = matches!(shape, Shape::Object(object) if object.keys.is_empty());
            if fresh {
                *shape = Shape::List(lists.len());
                lists.push(Scope::default());
            }
            let Shape::List(place) = shape else {
                return Err(());
            };
            places.push(*place);
            return Ok((Below::Scope(lists.get_mut(*place).ok_or(())?), rest));
        }
    }
    match shape {
        Shape::Leaf(leaf) => Ok((Below::Leaf(*leaf), rest)),
        Shape::Object(object) if object.keys.is_empty() => {
            let leaf = *leaves;
            *leaves += 1;
            *shape = Shape::Leaf(leaf);
            Ok((Below::Leaf(leaf), rest))
        }
        _ => Err(()),
    }
}

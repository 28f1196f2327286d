//! What the target model requires of the objects within a document. One that lacks it is not written: half an object is no object of the model,
//! and a map need not say again what the model says.

use super::plan::{Scope, Shape};
use super::schema::Place;

/// Notes what the objects below a scope need. The scope's own object is a document: what that needs is for the map to say (`required`).
pub(super) fn note(scope: &mut Scope, place: &Place<'_>) {
    let Scope { lists, shape, .. } = scope;
    below(shape, lists, place);
}

fn below(shape: &mut Shape, lists: &mut [Scope], place: &Place<'_>) {
    let Shape::Object(object) = shape else {
        return;
    };
    for (name, shape) in &mut object.keys {
        let Some(place) = place.property(name) else {
            continue;
        };
        match shape {
            Shape::Leaf(_) => {}
            Shape::Object(inner) => {
                inner.needs = place.needs();
                below(shape, lists, &place);
            }
            Shape::List(list) => {
                if let (Some(scope), Some(place)) = (lists.get_mut(*list), place.items()) {
                    if let Shape::Object(element) = &mut scope.shape {
                        element.needs = place.needs();
                    }
                    note(scope, &place);
                }
            }
        }
    }
}

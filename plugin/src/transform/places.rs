//! Where the values stand that a map reads: JSON Pointers into the record, for problems and for explanations.

use super::frames::Frames;
use super::path::push_pointer;
use super::plan::{Expression, Source};
use super::spec::Combine;
use super::value::Value;
use std::cell::OnceCell;

/// Where a value is that was read.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Several, where several were put together.
    pub(super) pointers: Vec<String>,
    /// Whether it is a list.
    pub(super) list: bool,
}

/// Where the values of an expression stand, seen from a place of the record. It is found out when it is first asked for: mostly nothing is wrong.
pub(super) struct Whereabouts<'e, 'f, 'r> {
    expression: &'e Expression,
    pub(super) frames: &'f Frames<'r>,
    places: OnceCell<Vec<Places>>,
}

impl<'e, 'f, 'r> Whereabouts<'e, 'f, 'r> {
    pub(super) fn new(
        expression: &'e Expression,
        frames: &'f Frames<'r>,
    ) -> Whereabouts<'e, 'f, 'r> {
        Whereabouts {
            expression,
            frames,
            places: OnceCell::new(),
        }
    }

    /// The pointer to the value, or to the `item`-th of the list that it is. `conversions`: how many of them made that list.
    #[cold]
    pub(super) fn pointer(&self, item: Option<usize>, conversions: usize) -> String {
        let Some(source) = &self.expression.source else {
            return String::new();
        };
        let gathered = self.frames.depth() < source.lists.len();
        let places = self
            .places
            .get_or_init(|| self.frames.clone().places(self.expression, source));
        // A conversion of the list as a whole leaves no value at its number.
        let mut done = self.expression.conversions.iter().take(conversions);
        let item = item.filter(|_| done.all(|conversion| !conversion.takes_lists()));
        let place = match (places.as_slice(), item) {
            ([only], _) => Some(only),
            (several, Some(item)) if gathered => several.get(item),
            _ => None,
        };
        let Some((place, pointer)) = place.and_then(|place| Some((place, place.pointers.first()?)))
        else {
            return if gathered {
                self.frames.list_pointer(source)
            } else {
                self.frames.source_pointer(Some(source))
            };
        };
        let mut pointer = pointer.clone();
        if let (Some(item), true, false) = (item, place.list, gathered) {
            push_pointer(&mut pointer, &item.to_string());
        }
        pointer
    }

    /// The pointer to the value as all conversions left it.
    pub(super) fn converted(&self, item: Option<usize>) -> String {
        self.pointer(item, usize::MAX)
    }
}

impl Frames<'_> {
    /// Where the values are that a source reads here: pointers for each innermost element, and whether such a value is a list.
    pub(super) fn places(&mut self, expression: &Expression, source: &Source) -> Vec<Places> {
        if self.depth() >= source.lists.len() {
            let asked = self.holds(expression);
            return asked
                .then(|| self.places_here(source))
                .into_iter()
                .filter(|places| !places.pointers.is_empty())
                .collect();
        }
        let mut all = Vec::new();
        for (index, item) in self
            .items(source)
            .ok()
            .flatten()
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            self.enter(item, index);
            all.append(&mut self.places(expression, source));
            self.leave();
        }
        all
    }

    fn places_here(&self, source: &Source) -> Places {
        let mut places = Places::default();
        for tail in &source.tails {
            let concat = matches!(source.combine, Combine::Concat(_));
            match self.look(tail) {
                Ok(value) if !(value.is_absent() || concat && value.text().is_none()) => {
                    places.pointers.push(self.pointer(&tail.path));
                    places.list = matches!(value, Value::List(_));
                }
                _ if concat => return Places::default(),
                _ => continue,
            }
            if !concat {
                break;
            }
        }
        places
    }
}

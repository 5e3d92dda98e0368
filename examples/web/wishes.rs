//! What a client wants beside the digit.

use crate::refusal::Refusal;

/// What to add to the answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    /// The network's 784 inputs.
    pub(crate) inputs: bool,
    /// What each step of the preprocessing made of the picture.
    pub(crate) stages: bool,
}

impl Wishes {
    /// From an address's query, such as `inputs=true&stages=true`.
    pub(crate) fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut wishes = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let refused = || {
                let message = format!(
                    "In the query there may be inputs and stages, each true or false, and there \
                     is \"{}\".",
                    pair.escape_debug()
                );
                Refusal::bad_request("unknown_parameter", message)
            };
            let (name, value) = pair.split_once('=').ok_or_else(refused)?;
            let value = value.parse().map_err(|_| refused())?;
            match name {
                "inputs" => wishes.inputs = value,
                "stages" => wishes.stages = value,
                _ => return Err(refused()),
            }
        }
        Ok(wishes)
    }
}

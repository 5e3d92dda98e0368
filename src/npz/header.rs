//! The header of an NPY array: a Python dictionary, such as
//! `{'descr': '<f8', 'fortran_order': False, 'shape': (10, 784), }`.

/// What an NPY header says.
#[derive(Debug, PartialEq)]
pub(super) struct Header<'a> {
    /// The element type, such as `<f8`. A structured type is not a string; it
    /// starts with `[`.
    pub(super) descr: &'a str,
    /// Whether the first index varies fastest.
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<usize>,
}

impl<'a> Header<'a> {
    /// Parses the three keys in any order, and nothing else but spaces.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner { rest: text };
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        scanner.token("{")?;
        while scanner.token("}").is_none() {
            let key = scanner.string()?;
            scanner.token(":")?;
            let repeated = match key {
                "descr" if scanner.token("[").is_some() => {
                    // A structured type is refused whatever else the header says.
                    return Some(Self { descr: "[", fortran_order: false, shape: Vec::new() });
                }
                "descr" => descr.replace(scanner.string()?).is_some(),
                "fortran_order" => fortran_order.replace(scanner.boolean()?).is_some(),
                "shape" => shape.replace(scanner.tuple()?).is_some(),
                _ => return None,
            };
            if repeated {
                return None;
            }
            if scanner.token(",").is_none() {
                scanner.token("}")?;
                break;
            }
        }
        let end = scanner.rest.trim_ascii_start().is_empty();
        end.then_some(Self { descr: descr?, fortran_order: fortran_order?, shape: shape? })
    }
}

/// Takes Python literals off the front of a text.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn token(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.trim_ascii_start().strip_prefix(token)?;
        Some(())
    }

    /// A string in quotes of either kind, without escapes: none of the keys and
    /// element types needs any.
    fn string(&mut self) -> Option<&'a str> {
        let quote = ["'", "\""].into_iter().find(|quote| self.token(quote).is_some())?;
        let (string, rest) = self.rest.split_once(quote)?;
        self.rest = rest;
        Some(string)
    }

    fn boolean(&mut self) -> Option<bool> {
        let literals = [("True", true), ("False", false)];
        let (_, value) = literals.into_iter().find(|(word, _)| self.token(word).is_some())?;
        Some(value)
    }

    /// A tuple of sizes. One of length 1 has a comma, as in `(3,)`: without it,
    /// the parentheses mean nothing.
    fn tuple(&mut self) -> Option<Vec<usize>> {
        let mut sizes = Vec::new();
        self.token("(")?;
        while self.token(")").is_none() {
            sizes.push(self.size()?);
            if self.token(",").is_none() {
                self.token(")")?;
                return (sizes.len() > 1).then_some(sizes);
            }
        }
        Some(sizes)
    }

    /// A decimal number. A shape may name more elements than memory can have, so
    /// what is too large becomes the largest size.
    fn size(&mut self) -> Option<usize> {
        self.rest = self.rest.trim_ascii_start();
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        if number.is_empty() { None } else { Some(number.parse().unwrap_or(usize::MAX)) }
    }
}

#[cfg(test)]
mod tests {
    use super::Header;

    #[test]
    fn reads_every_legal_spelling() {
        let header = Header { descr: "<f8", fortran_order: true, shape: vec![3, 4] };
        for text in [
            "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), }",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4)}   \n",
            "{'shape':(3,4),'fortran_order':True,'descr':'<f8'}",
            "{\"fortran_order\": True, \"shape\": (3, 4,), \"descr\": \"<f8\",}\n",
            " { 'descr' : '<f8' ,\n\t'shape' : ( 3 , 4 , ) , 'fortran_order' : True , } \n",
        ] {
            assert_eq!(Header::parse(text).as_ref(), Some(&header), "{text}");
        }
    }

    #[test]
    fn reads_shapes_of_other_ranks() {
        for (shape, sizes) in [
            ("()", vec![]),
            ("(7,)", vec![7]),
            ("(1, 2, 3)", vec![1, 2, 3]),
            ("(99999999999999999999, 2)", vec![usize::MAX, 2]),
        ] {
            let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
            assert_eq!(Header::parse(&text).map(|header| header.shape), Some(sizes), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_header() {
        for text in [
            "",
            "{}",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), ",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), } x",
            "{'descr': '<f8', 'fortran_order': True}",
            "{'descr': '<f8', 'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), }",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), 'more': 1, }",
            "{'descr': '<f8\", 'fortran_order': True, 'shape': (3, 4), }",
            "{'descr': '<f8' 'fortran_order': True, 'shape': (3, 4), }",
            "{'descr': '<f8', 'fortran_order': 1, 'shape': (3, 4), }",
            "{'descr': '<f8', 'fortran_order': Truely, 'shape': (3, 4), }",
            "{'descr': '<f8', 'fortran_order': True, 'shape': [3, 4], }",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (3), }",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (, ), }",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (-3, 4), }",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4.0), }",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), , }",
        ] {
            assert_eq!(Header::parse(text), None, "{text}");
        }
    }
}

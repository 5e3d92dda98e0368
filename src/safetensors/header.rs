//! The header of a file: JSON that says where each tensor is.
//!
//! Only what the format allows is read: an object of tensors, each an object with
//! `dtype`, `shape` and `data_offsets`, and of `__metadata__`, whose values are
//! strings. A name twice is refused.

use std::collections::BTreeMap;

/// What a header says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tensors: BTreeMap<String, Tensor>,
}

/// Where a tensor is, and of what form.
#[derive(Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) dtype: String,
    pub(super) shape: Vec<u64>,
    pub(super) offsets: (u64, u64),
}

impl Header {
    /// The header in a text, or the byte where it is not one.
    pub(super) fn parse(text: &str) -> Result<Self, usize> {
        let mut scanner = Scanner { text, at: 0 };
        scanner.header().ok_or(scanner.at)
    }
}

/// Takes JSON off the front of a text.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn header(&mut self) -> Option<Header> {
        let mut header = Header::default();
        let mut has_metadata = false;
        self.members(|scanner, name| {
            if name == "__metadata__" {
                let is_first = !std::mem::replace(&mut has_metadata, true);
                scanner.members(|scanner, name| {
                    let value = scanner.string()?;
                    header.metadata.insert(name, value).is_none().then_some(())
                })?;
                return is_first.then_some(());
            }
            let tensor = scanner.tensor()?;
            header.tensors.insert(name, tensor).is_none().then_some(())
        })?;
        self.spaces();
        (self.at == self.text.len()).then_some(header)
    }

    fn tensor(&mut self) -> Option<Tensor> {
        let (mut dtype, mut shape, mut offsets) = (None, None, None);
        self.members(|scanner, name| {
            let is_first = match name.as_str() {
                "dtype" => dtype.replace(scanner.string()?).is_none(),
                "shape" => shape.replace(scanner.numbers()?).is_none(),
                "data_offsets" => match scanner.numbers()?[..] {
                    [start, end] => offsets.replace((start, end)).is_none(),
                    _ => false,
                },
                _ => false,
            };
            is_first.then_some(())
        })?;
        Some(Tensor { dtype: dtype?, shape: shape?, offsets: offsets? })
    }

    /// An object: gives each name to `member`, which takes the value.
    fn members(&mut self, mut member: impl FnMut(&mut Self, String) -> Option<()>) -> Option<()> {
        self.token('{')?;
        if self.token('}').is_some() {
            return Some(());
        }
        loop {
            let name = self.string()?;
            self.token(':')?;
            member(self, name)?;
            if self.token(',').is_none() {
                return self.token('}');
            }
        }
    }

    /// An array of whole numbers.
    fn numbers(&mut self) -> Option<Vec<u64>> {
        let mut numbers = Vec::new();
        self.token('[')?;
        if self.token(']').is_some() {
            return Some(numbers);
        }
        loop {
            numbers.push(self.number()?);
            if self.token(',').is_none() {
                return self.token(']').map(|()| numbers);
            }
        }
    }

    /// A whole number without a sign, a point, an exponent or a zero in front.
    fn number(&mut self) -> Option<u64> {
        self.spaces();
        let rest = &self.text[self.at..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = rest.split_at(digits);
        let is_whole = !rest.starts_with(['.', 'e', 'E']);
        let is_plain = number.len() == 1 || !number.starts_with('0');
        let value = number.parse().ok().filter(|_| is_whole && is_plain)?;
        self.at += digits;
        Some(value)
    }

    fn string(&mut self) -> Option<String> {
        self.token('"')?;
        let mut string = String::new();
        loop {
            match self.character()? {
                '"' => return Some(string),
                '\\' => string.push(self.escaped()?),
                control if control < ' ' => return None,
                other => string.push(other),
            }
        }
    }

    /// What stands for a character, after its backslash.
    fn escaped(&mut self) -> Option<char> {
        Some(match self.character()? {
            plain @ ('"' | '\\' | '/') => plain,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.code_unit()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                // A character beyond 16 bits takes two.
                (self.character()? == '\\' && self.character()? == 'u').then_some(())?;
                let low = self.code_unit().filter(|low| (0xdc00..0xe000).contains(low))?;
                return char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            _ => return None,
        })
    }

    fn code_unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit << 4 | self.character()?.to_digit(16)?))
    }

    fn character(&mut self) -> Option<char> {
        let next = self.text[self.at..].chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn token(&mut self, token: char) -> Option<()> {
        self.spaces();
        self.text[self.at..].starts_with(token).then(|| self.at += token.len_utf8())
    }

    fn spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }
}

/// A string in JSON.
pub(super) fn quoted(string: &str) -> String {
    let mut quoted = String::from('"');
    for character in string.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => quoted += &format!("\\u{:04x}", u32::from(control)),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_legal_spelling() {
        let header = |name: &str| Header {
            metadata: BTreeMap::from([("format".to_owned(), "pt".to_owned())]),
            tensors: BTreeMap::from([(
                name.to_owned(),
                Tensor { dtype: "F32".to_owned(), shape: vec![2, 10], offsets: (0, 80) },
            )]),
        };
        for (text, name) in [
            (
                r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,10],"data_offsets":[0,80]}}  "#,
                "a",
            ),
            (
                "{ \"a\" :\n{\"data_offsets\":\t[ 0 , 80 ],\"shape\":[2,10],\"dtype\":\"F32\"}\r, \"__metadata__\" : { \"format\": \"pt\" } }",
                "a",
            ),
            (
                r#"{"__metadata__":{"format":"p\u0074"},"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀":{"dtype":"F32","shape":[2,10],"data_offsets":[0,80]}}"#,
                "\"\\/\u{8}\u{c}\n\r\té😀é😀",
            ),
        ] {
            assert_eq!(Header::parse(text), Ok(header(name)), "{text}");
        }
        assert_eq!(Header::parse("{}"), Ok(Header::default()));
        assert_eq!(Header::parse(r#"{"__metadata__":{}}"#), Ok(Header::default()));
    }

    #[test]
    fn what_is_quoted_is_read_again() {
        for string in ["", "a\"b\\c", "\u{0}\u{1f}\n", "é😀"] {
            let mut scanner = Scanner { text: &quoted(string), at: 0 };
            assert_eq!(scanner.string().as_deref(), Some(string));
        }
    }

    #[test]
    fn refuses_what_is_no_header_and_says_where() {
        let tensor = |shape: &str, offsets: &str| {
            format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        assert!(Header::parse(&tensor("[]", "[0,4]")).is_ok());
        assert!(Header::parse(&tensor("[18446744073709551615]", "[0,4]")).is_ok());
        let bad = [
            "",
            "{",
            "[]",
            "null",
            "{}x",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":1}"#,
            r#"{"a":{}}"#,
            r#"{"a":{"dtype":"F32"}}"#,
            r#"{"__metadata__":{"a":1}}"#,
            r#"{"__metadata__":[]}"#,
            r#"{"__metadata__":{"a":"b","a":"b"}}"#,
            r#"{"__metadata__":{"a":"b"},"__metadata__":{}}"#,
            r#"{"__metadata__":{},"__metadata__":{}}"#,
            r#"{"__metadata__":{"a":"b",}}"#,
            "{\"__metadata__\":{\"a\":\"\n\"}}",
            r#"{"__metadata__":{"a":"\x"}}"#,
            r#"{"__metadata__":{"a":"\u12"}}"#,
            r#"{"__metadata__":{"a":"\ud800"}}"#,
            r#"{"__metadata__":{"a":"\udc00"}}"#,
            r#"{"__metadata__":{"a":"\ud800\u0041"}}"#,
            r#"{"__metadata__":{"a":"b}}"#,
        ];
        let mut bad: Vec<String> = bad.map(str::to_owned).into();
        for numbers in [
            "[-1]",
            "[1.0]",
            "[1e2]",
            "[01]",
            "[1,]",
            "[,]",
            "[",
            "[18446744073709551616]",
            "1",
            "[\"1\"]",
            "[[1]]",
        ] {
            bad.push(tensor(numbers, "[0,4]"));
        }
        for offsets in ["[0]", "[]", "[0,4,8]", "null"] {
            bad.push(tensor("[1]", offsets));
        }
        let good = tensor("[1]", "[0,4]");
        bad.push(good.replace("\"shape\"", "\"dtype\""));
        bad.push(good.replace("\"shape\":[1],", "\"shape\":[1],\"shape\":[1],"));
        bad.push(good.replace("\"shape\":[1],", "\"shape\":[1],\"more\":[1],"));
        bad.push(format!("{},{}", &good[..good.len() - 1], &good[1..]));
        for text in bad {
            let at = Header::parse(&text).expect_err(&text);
            assert!(at <= text.len(), "{text}: {at}");
        }
        assert_eq!(Header::parse(r#"{"a":{"dtype":7}}"#), Err(14));
    }
}

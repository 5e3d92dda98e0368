//! The NPY arrays: headers, element types, shapes, and how they make a network.

use digit_recognizer::{Network, Result};

use crate::builder::{float64, header, little_endian, npy, npy_with_header, stored};
use crate::{SMALL_W1, assert_refused, read, read_w1, small, small_w1};

const VALUES: [u8; 6] = [1, 2, 3, 4, 5, 6];

/// Reads layers of weights and bias from their arrays.
fn read_layers(layers: &[(Vec<u8>, Vec<u8>)]) -> Result<Network> {
    let mut members = Vec::new();
    for (index, (weights, bias)) in layers.iter().enumerate() {
        members.push(stored(&format!("W{}.npy", index + 1), weights));
        members.push(stored(&format!("b{}.npy", index + 1), bias));
    }
    read(&members)
}

/// An array of the given sizes with the elements 1, 2, 3, … in C order.
fn counting(sizes: &[usize]) -> Vec<u8> {
    let count: usize = sizes.iter().product();
    let shape: String = sizes.iter().map(|size| format!("{size},")).collect();
    float64(&format!("({shape})"), &(1..=count).map(|n| n as f64).collect::<Vec<_>>())
}

#[test]
fn reads_npy_versions_1_to_3() {
    let header = header("<f8", "False", "(2, 3)");
    for version in 1..=3 {
        let w1 = npy_with_header(version, &header, &little_endian(&SMALL_W1));
        assert_eq!(read_w1(&w1).expect("a good array"), small());
    }
    for version in [0, 4, 255] {
        let w1 = npy_with_header(version, &header, &little_endian(&SMALL_W1));
        assert_refused!(read_w1(&w1), Unsupported, "at W1.npy", &format!("found {version}.0"));
    }
    let mut w1 = small_w1();
    w1[7] = 1;
    assert_refused!(read_w1(&w1), Unsupported, "at W1.npy", "found 1.1");
}

#[test]
fn a_member_without_the_magic_is_refused() {
    let mut w1 = small_w1();
    w1[0] = b'?';
    assert_refused!(read_w1(&w1), Malformed, "at W1.npy", "magic", "?NUMPY");
    assert_refused!(read_w1(b""), Malformed, "at W1.npy");
    assert_refused!(read_w1(b"\x93NUM"), Malformed, "at W1.npy");
}

#[test]
fn reads_the_header_in_any_spelling() {
    for header in [
        "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f8'}",
        "{\"descr\":\"<f8\",\"shape\":(2,3),\"fortran_order\":False,}\n",
        " {\t'fortran_order' : False,\n 'descr' : '<f8', 'shape' : ( 2 , 3 , ) , }   \n",
    ] {
        let w1 = npy_with_header(1, header, &little_endian(&SMALL_W1));
        assert_eq!(read_w1(&w1).expect(header), small());
    }
}

#[test]
fn a_header_that_is_no_dictionary_is_refused() {
    for header in [
        "",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, -3)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (6)}",
        "{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 3)}",
        "__import__('os')",
        "\u{fffd}",
    ] {
        let w1 = npy_with_header(3, header, &little_endian(&SMALL_W1));
        assert_refused!(read_w1(&w1), Malformed, "at W1.npy", "a header {'descr'");
    }
}

#[test]
fn a_header_longer_than_numpy_reads_is_refused() {
    let header = header("<f8", "False", "(2, 3)");
    let longest = format!("{header:<10000}");
    let w1 = npy_with_header(1, &longest, &little_endian(&SMALL_W1));
    assert_eq!(read_w1(&w1).expect("the longest header"), small());
    for version in [1, 2] {
        let w1 = npy_with_header(version, &(longest.clone() + " "), &little_endian(&SMALL_W1));
        assert_refused!(read_w1(&w1), Unsupported, "at W1.npy", "at most 10000", "10001");
    }
    let mut w1 = b"\x93NUMPY\x02\x00".to_vec();
    w1.extend(u32::MAX.to_le_bytes());
    assert_refused!(read_w1(&w1), Unsupported, "at W1.npy", "4294967295");
}

#[test]
fn reads_fortran_order() {
    let columns = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
    let w1 = npy_with_header(1, &header("<f8", "True", "(2, 3)"), &little_endian(&columns));
    assert_eq!(read_w1(&w1).expect("a good array"), small());
    let b1 = npy_with_header(1, &header("<f8", "True", "(2, 1)"), &little_endian(&[7.0, 8.0]));
    assert_eq!(read_layers(&[(w1, b1)]).expect("good arrays"), small());
}

/// Reads the elements 1 to 6 of another type.
fn assert_reads_type<const N: usize>(descr: &str, element: impl Fn(u8) -> [u8; N]) {
    let w1 = npy(descr, "(2, 3)", VALUES.map(element).as_flattened());
    assert_eq!(read_w1(&w1).expect(descr), small(), "{descr}");
}

#[test]
fn reads_every_element_type() {
    assert_reads_type("<f8", |n| f64::from(n).to_le_bytes());
    assert_reads_type(">f8", |n| f64::from(n).to_be_bytes());
    assert_reads_type("<f4", |n| f32::from(n).to_le_bytes());
    assert_reads_type(">f4", |n| f32::from(n).to_be_bytes());
    // 1 to 6 as float16.
    let half = |n: u8| [0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600_u16][usize::from(n)];
    assert_reads_type("<f2", |n| half(n).to_le_bytes());
    assert_reads_type(">f2", |n| half(n).to_be_bytes());
    assert_reads_type("|i1", |n| [n]);
    assert_reads_type("|u1", |n| [n]);
    assert_reads_type("<i2", |n| i16::from(n).to_le_bytes());
    assert_reads_type(">i2", |n| i16::from(n).to_be_bytes());
    assert_reads_type("<u2", |n| u16::from(n).to_le_bytes());
    assert_reads_type(">u2", |n| u16::from(n).to_be_bytes());
    assert_reads_type("<i4", |n| i32::from(n).to_le_bytes());
    assert_reads_type(">i4", |n| i32::from(n).to_be_bytes());
    assert_reads_type("<u4", |n| u32::from(n).to_le_bytes());
    assert_reads_type(">u4", |n| u32::from(n).to_be_bytes());
    assert_reads_type("<i8", |n| i64::from(n).to_le_bytes());
    assert_reads_type(">i8", |n| i64::from(n).to_be_bytes());
    assert_reads_type("<u8", |n| u64::from(n).to_le_bytes());
    assert_reads_type(">u8", |n| u64::from(n).to_be_bytes());
}

/// The weights of a layer with one output, read from a row of elements.
fn read_row(descr: &str, elements: &[u8], count: usize) -> Vec<f32> {
    let weights = npy(descr, &format!("(1, {count})"), elements);
    let network = read_layers(&[(weights, float64("(1,)", &[0.0]))]).expect(descr);
    network.layers()[0].weights().as_slice().to_vec()
}

#[test]
fn reads_the_extremes_of_each_type() {
    // The least subnormal, the greatest subnormal, the least normal, the
    // greatest, minus zero, minus one third.
    let halves = [0x0001, 0x03ff, 0x0400, 0x7bff, 0x8000, 0xb555_u16].map(u16::to_le_bytes);
    let expected = [5.960_464_5e-8, 6.097_555e-5, 6.103_515_6e-5, 65504.0, 0.0, -0.333_251_95];
    assert_eq!(read_row("<f2", halves.as_flattened(), 6), expected);
    assert_eq!(read_row("|i1", &[0x80, 0xff], 2), [-128.0, -1.0]);
    assert_eq!(read_row("|u1", &[0x80, 0xff], 2), [128.0, 255.0]);
    assert_eq!(read_row("<i8", &i64::MIN.to_le_bytes(), 1), [-9.223_372e18]);
    assert_eq!(read_row("<u8", &u64::MAX.to_le_bytes(), 1), [1.844_674_4e19]);
    // Rounded once: over an f64 on the way it would become 2^60.
    let above_half = (1_i64 << 60) + (1 << 36) + 1;
    let rounded_up = ((1_u64 << 60) + (1 << 37)) as f32;
    assert_eq!(read_row("<i8", &above_half.to_le_bytes(), 1), [rounded_up]);
    let floats = [f64::from(f32::MAX), 1e-310, 0.1];
    assert_eq!(read_row("<f8", &little_endian(&floats), 3), [f32::MAX, 0.0, 0.1]);
}

#[test]
fn other_element_types_are_refused() {
    for descr in
        ["|b1", "<c8", "<c16", "<U4", "|S4", "|V8", "<M8[s]", "<f16", "<f3", "|f8", "=f8", "f8", ""]
    {
        let w1 = npy(descr, "(2, 3)", &[0; 96]);
        assert_refused!(read_w1(&w1), Unsupported, "at W1.npy", &format!("'{descr}'"));
    }
}

#[test]
fn objects_are_refused_as_pickles() {
    let w1 = npy("|O", "(2, 3)", b"\x80\x04cos\nsystem\n");
    assert_refused!(read_w1(&w1), Unsupported, "at W1.npy", "objects", "pickle");
}

#[test]
fn structured_types_are_refused() {
    let header =
        "{'descr': [('größe', '<f8'), ('y', '<f8')], 'fortran_order': False, 'shape': (2, 3), }";
    let w1 = npy_with_header(3, header, &[0; 96]);
    assert_refused!(read_w1(&w1), Unsupported, "at W1.npy", "structured");
}

#[test]
fn a_wrong_number_of_elements_is_refused() {
    let elements = little_endian(&SMALL_W1);
    let w1 = npy("<f8", "(2, 3)", &elements[..40]);
    assert_refused!(read_w1(&w1), Malformed, "at W1.npy", "48 bytes", "[2, 3]", "found 40");
    let w1 = npy("<f8", "(2, 3)", &[&elements[..], &[0]].concat());
    assert_refused!(read_w1(&w1), Malformed, "at W1.npy", "48 bytes", "[2, 3]", "more");
    // A claim near the limit costs nothing but the elements that are there.
    let w1 = npy("<f8", "(4096, 2048)", &elements);
    assert_refused!(read_w1(&w1), Malformed, "at W1.npy", "67108864 bytes", "found 48");
}

#[test]
fn shapes_that_overflow_are_refused() {
    for shape in [
        "(4294967296, 4294967296)",
        "(9223372036854775808, 2)",
        "(99999999999999999999999999, 1)",
        "(16777217, 1)",
    ] {
        let w1 = npy("<f8", shape, &[0; 48]);
        assert_refused!(read_w1(&w1), Unsupported, "at W1.npy", "at most 16777216", "shape");
    }
}

#[test]
fn other_ranks_are_refused() {
    let shapes = [("()", 1), ("(1, 2, 3)", 6), ("(0,)", 0), ("(0, 3)", 0), ("(2, 0)", 0)];
    for (shape, count) in shapes {
        let array = float64(shape, &vec![1.0; count]);
        assert_refused!(read_w1(&array), Unsupported, "at W1.npy", "dimensions", "shape [");
        let read = read_layers(&[(small_w1(), array)]);
        assert_refused!(read, Unsupported, "at b1.npy", "dimensions", "shape [");
    }
    assert_refused!(read_w1(&counting(&[6])), Unsupported, "W1.npy", "two dimensions", "[6]");
    let read = read_layers(&[(counting(&[4, 3]), counting(&[2, 2]))]);
    assert_refused!(read, Unsupported, "at b1.npy", "[n, 1]", "[2, 2]");
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    for (value, name) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (1e39, "inf"), // above the largest f32
    ] {
        let mut values = SMALL_W1;
        values[4] = value;
        let w1 = float64("(2, 3)", &values);
        let found = format!("{name} in W1.npy at element 4");
        assert_refused!(read_w1(&w1), Mismatch, "finite", &found);
    }
    for half in [0x7c00_u16, 0xfc00, 0x7e00] {
        let b1 = npy("<f2", "(2,)", &[[0; 2], half.to_le_bytes()].concat());
        let read = read_layers(&[(small_w1(), b1)]);
        assert_refused!(read, Mismatch, "finite", "b1.npy at element 1");
    }
}

#[test]
fn reads_a_bias_of_any_shape() {
    for shape in ["(2,)", "(2, 1)", "(1, 2)"] {
        let b1 = float64(shape, &[7.0, 8.0]);
        assert_eq!(read_layers(&[(small_w1(), b1)]).expect(shape), small());
    }
}

#[test]
fn reads_weights_with_inputs_first() {
    let w1 = float64("(3, 2)", &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(read_w1(&w1).expect("(inputs, outputs)"), small());
}

#[test]
fn square_weights_follow_the_others() {
    let elements = |network: &Network| -> Vec<Vec<f32>> {
        network.layers().iter().map(|layer| layer.weights().as_slice().to_vec()).collect()
    };
    let square = vec![1.0, 2.0, 3.0, 4.0];
    let transposed = vec![1.0, 3.0, 2.0, 4.0];
    let bias = || counting(&[2]);

    // Alone, they are (outputs, inputs).
    let network = read_layers(&[(counting(&[2, 2]), bias())]).expect("one square");
    assert_eq!(elements(&network)[0], transposed);

    let layers = [(counting(&[2, 2]), bias()), (counting(&[3, 2]), counting(&[3]))];
    let network = read_layers(&layers).expect("outputs first");
    assert_eq!(elements(&network)[0], transposed);
    assert_eq!(network.sizes(), [2, 2, 3]);

    let layers = [(counting(&[2, 2]), bias()), (counting(&[2, 3]), counting(&[3]))];
    let network = read_layers(&layers).expect("inputs first");
    assert_eq!(elements(&network)[0], square);
    assert_eq!(network.sizes(), [2, 2, 3]);
}

#[test]
fn weights_of_both_orders_in_one_file_are_refused() {
    let layers = [(counting(&[4, 3]), counting(&[4])), (counting(&[4, 2]), counting(&[2]))];
    assert_refused!(read_layers(&layers), Mismatch, "W2.npy as (outputs, inputs)", "(4, 2)");
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let read = read_layers(&[(counting(&[2, 3]), counting(&[4]))]);
    assert_refused!(read, Mismatch, "W1.npy", "4 outputs, as b1.npy has", "(2, 3)");
    let layers = [(counting(&[4, 3]), counting(&[4])), (counting(&[2, 5]), counting(&[2]))];
    assert_refused!(read_layers(&layers), Mismatch, "layer 2 with 4 inputs", "found 5 inputs");
    let read = read_layers(&[(counting(&[257, 3]), counting(&[257]))]);
    assert_refused!(read, Mismatch, "at most 256 outputs", "257");
}

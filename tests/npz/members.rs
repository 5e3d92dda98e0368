//! The archive's members: names, compression, sizes, checksums.

use crate::builder::{Member, archive, deflate, deflated, float64, npy, npy_with_header, stored};
use crate::{SMALL_W1, assert_refused, read, small, small_b1, small_w1};
use digit_recognizer::Network;

fn w1() -> Member {
    stored("W1.npy", &small_w1())
}

fn b1() -> Member {
    stored("b1.npy", &small_b1())
}

#[test]
fn reads_stored_and_deflated_members_with_or_without_zip64() {
    for make in [stored, deflated] {
        for zip64 in [false, true] {
            let members = [("W1.npy", small_w1()), ("b1.npy", small_b1())]
                .map(|(name, npy)| Member { zip64, ..make(name, &npy) });
            assert_eq!(read(&members).expect("a good archive"), small());
        }
    }
}

#[test]
fn reads_members_in_any_order() {
    assert_eq!(read(&[b1(), w1()]).expect("a good archive"), small());
}

#[test]
fn a_wrong_crc_is_refused() {
    for member in [w1(), deflated("W1.npy", &small_w1())] {
        let member = Member { crc: member.crc ^ 1, ..member };
        assert_refused!(read(&[member, b1()]), Malformed, "at W1.npy", "CRC", "checksum");
    }
}

#[test]
fn a_wrong_size_is_refused_either_way() {
    for member in [w1(), deflated("W1.npy", &small_w1())] {
        for lie in [0, 1, member.size - 1, member.size + 1, 1 << 20, u64::from(u32::MAX) - 1] {
            let member = Member { size: lie, ..member.clone() };
            assert_refused!(read(&[member, b1()]), Malformed, "at W1.npy", "size");
        }
        let size = member.size;
        let member = Member { zip64: true, size: u64::MAX, ..member };
        assert_refused!(read(&[member, b1()]), Malformed, "at W1.npy", &format!("got {size}"));
    }
}

#[test]
fn a_wrong_compressed_size_is_refused_either_way() {
    for member in [w1(), deflated("W1.npy", &small_w1())] {
        let right = member.compressed_size;
        for lie in [0, 1, right - 1, right + 1, right + 7, 1 << 20] {
            let member = Member { compressed_size: lie, ..member.clone() };
            assert_refused!(read(&[member, b1()]), Malformed, "at W1.npy");
        }
        let member = Member { zip64: true, compressed_size: u64::MAX, ..member };
        assert_refused!(read(&[member, b1()]), Malformed, "at W1.npy", "inside the file");
    }
}

#[test]
fn bytes_after_a_deflate_stream_are_refused() {
    let mut member = deflated("W1.npy", &small_w1());
    member.data.extend(b"more");
    member.compressed_size += 4;
    let found = format!("ends after {}", member.compressed_size - 4);
    assert_refused!(read(&[member, b1()]), Malformed, "at W1.npy", "DEFLATE", &found);
}

#[test]
fn a_damaged_deflate_stream_is_refused() {
    let mut member = deflated("W1.npy", &small_w1());
    member.data[0] |= 0b110; // a block of the reserved type
    assert_refused!(read(&[member, b1()]), Malformed, "at W1.npy", "deflate");
}

#[test]
fn a_deflate_bomb_is_not_inflated() {
    let mut content = small_w1();
    content.resize(64 << 20, 0);
    let bomb = deflated("W1.npy", &content);
    assert_refused!(read(&[bomb.clone(), b1()]), Malformed, "at W1.npy", "48 bytes", "more");
    // The end of the stream is cut off, which no one sees who stops after what
    // the shape says and one byte.
    let len = bomb.data.len() / 2;
    let data = bomb.data[..len].to_vec();
    let cut = Member { compressed_size: len as u64, data, ..bomb };
    assert_refused!(read(&[cut, b1()]), Malformed, "at W1.npy", "48 bytes", "more");
}

#[test]
fn a_deflate_bomb_with_a_shape_to_match_is_refused() {
    let descr_and_shape = "{'descr': '|u1', 'fortran_order': False, 'shape': (100000, 1000)}";
    let bomb = deflated("W1.npy", &npy_with_header(1, descr_and_shape, &[0; 1000]));
    assert_refused!(read(&[bomb, b1()]), Unsupported, "at W1.npy", "16777216", "[100000, 1000]");
}

#[test]
fn all_members_share_one_limit() {
    let w1 = npy("|u1", "(1500, 10000)", &vec![0; 15_000_000]);
    let b1 = npy("|u1", "(2000, 1000)", &[]);
    let members = [deflated("W1.npy", &w1), stored("b1.npy", &b1)];
    assert_refused!(read(&members), Unsupported, "at b1.npy", "at most 1777216", "[2000, 1000]");
}

#[test]
fn an_encrypted_member_is_refused() {
    let member = Member { flags: 1, ..w1() };
    assert_refused!(read(&[member, b1()]), Unsupported, "at W1.npy", "encrypted");
}

#[test]
fn other_compression_methods_are_refused() {
    for (method, name) in [(1, "SHRUNK"), (9, "DEFLATE64"), (12, "BZIP2"), (93, "ZSTD"), (77, "77")]
    {
        let member = Member { method, ..w1() };
        assert_refused!(read(&[member, b1()]), Unsupported, "at W1.npy", "method", name);
    }
}

#[test]
fn a_name_twice_is_refused() {
    assert_refused!(read(&[w1(), b1(), w1()]), Malformed, "at W1.npy", "a second one");
}

#[test]
fn another_name_in_the_local_header_is_refused() {
    let member = Member { local_name: "b9.npy".to_owned(), ..w1() };
    assert_refused!(read(&[member, b1()]), Malformed, "at W1.npy", "same name", "b9.npy");
}

#[test]
fn a_missing_member_is_refused() {
    let (w2, b2) = (float64("(2, 2)", &[1.0; 4]), float64("(2, 1)", &[1.0; 2]));
    let (w2, b2) = (stored("W2.npy", &w2), stored("b2.npy", &b2));
    assert_refused!(read(&[b1()]), Mismatch, "expected W1.npy, found b1.npy alone");
    assert_refused!(read(&[w1()]), Mismatch, "expected b1.npy, found W1.npy alone");
    assert_refused!(read(&[w1(), b1(), b2.clone()]), Mismatch, "W2.npy", "b2.npy alone");
    assert_refused!(read(&[w1(), b1(), w2.clone()]), Mismatch, "b2.npy", "W2.npy alone");
    assert_refused!(read(&[w2, b2]), Mismatch, "expected W1.npy and b1.npy, found W2.npy");
}

#[test]
fn a_gap_in_the_numbers_is_refused() {
    for name in ["W3.npy", "b0.npy", "W01.npy", "b99999999999999999999999.npy"] {
        let extra = stored(name, &small_w1());
        assert_refused!(read(&[w1(), b1(), extra]), Mismatch, "expected W2.npy and b2.npy", name);
    }
}

#[test]
fn members_of_other_names_are_left_alone() {
    let names = [
        "epochs.npy",
        "../W1.npy",
        "/b1.npy",
        "..\\W1.npy",
        "W.npy",
        "w1.npy",
        "W1",
        "W1.npy/",
        "W-1.npy",
        "Wé.npy",
        "",
    ];
    for name in names {
        // Neither readable nor with a true size or checksum.
        let extra = Member { method: 99, flags: 1, size: 1 << 31, crc: 1, ..stored(name, b"?") };
        assert_eq!(read(&[extra.clone(), w1(), extra, b1()]).expect(name), small());
    }
}

#[test]
fn a_wrong_number_of_members_is_refused() {
    let mut file = archive(&[w1(), b1()]);
    let count = file.len() - 12;
    assert_eq!(file[count], 2);
    file[count] = 3;
    assert_refused!(Network::read_npz(file.as_slice()), Malformed, "3 members", "found 2");
}

#[test]
fn two_members_cannot_share_data() {
    let mut file = archive(&[w1(), b1()]);
    // The last member's offset, 4 bytes before its name and the end record.
    let offset = file.len() - 22 - "b1.npy".len() - 4;
    file[offset..offset + 4].fill(0);
    let read = Network::read_npz(file.as_slice());
    assert_refused!(read, Malformed, "at b1.npy", "same name", "W1.npy");
}

#[test]
fn the_stream_of_another_member_is_not_enough() {
    // The CRC belongs to the uncompressed data.
    let data = deflate(&float64("(2, 3)", &SMALL_W1.map(|value| -value)));
    let member =
        Member { compressed_size: data.len() as u64, data, ..deflated("W1.npy", &small_w1()) };
    assert_refused!(read(&[member, b1()]), Malformed, "at W1.npy", "checksum");
}

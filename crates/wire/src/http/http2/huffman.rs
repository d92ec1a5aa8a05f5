//! The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B): decoding only.
//!
//! The code is canonical: the lengths of its words are enough to know the words. What we send is not
//! Huffman-coded, which every peer must accept.

/// The length in bits of the word of each byte, and of the end-of-string symbol.
pub(super) const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const LONGEST: usize = 30;
const END: u16 = 256;

/// The words by their length: of each length the first word, where its symbol stands among the sorted
/// symbols, and how many there are.
struct Code {
    first: [u32; LONGEST + 1],
    place: [u16; LONGEST + 1],
    count: [u16; LONGEST + 1],
    symbols: [u16; 257],
}

static CODE: Code = code();

const fn code() -> Code {
    let mut code = Code {
        first: [0; LONGEST + 1],
        place: [0; LONGEST + 1],
        count: [0; LONGEST + 1],
        symbols: [0; 257],
    };
    let (mut length, mut word, mut place) = (1, 0, 0);
    while length <= LONGEST {
        word <<= 1;
        code.first[length] = word;
        code.place[length] = place;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                code.symbols[place as usize] = symbol as u16;
                code.count[length] += 1;
                place += 1;
                word += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    code
}

/// What the words of at most eight bits stand for, with their lengths, by any eight bits that begin with
/// them. The length is 0 where the word is longer.
static SHORT: [(u8, u8); 256] = short();

const fn short() -> [(u8, u8); 256] {
    let mut short = [(0, 0); 256];
    let mut place = 0;
    while place < short.len() {
        if let Some((symbol, length)) = word((place as u32) << 24, 1, 8) {
            short[place] = (symbol as u8, length as u8);
        }
        place += 1;
    }
    short
}

/// The symbol whose word begins these bits, and how long that word is, if its length is one of these.
const fn word(bits: u32, shortest: usize, longest: usize) -> Option<(u16, u32)> {
    let mut length = shortest;
    while length <= longest {
        let past = (bits >> (32 - length)).wrapping_sub(CODE.first[length]);
        if past < CODE.count[length] as u32 {
            return Some((
                CODE.symbols[CODE.place[length] as usize + past as usize],
                length as u32,
            ));
        }
        length += 1;
    }
    None
}

/// The bytes that coded bytes stand for; `None` when they are not well coded, or stand for more than
/// `limit` bytes.
pub(super) fn decode(coded: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(limit.min(coded.len() * 2));
    let mut rest = coded;
    // The bits that are not decoded, the next one uppermost. Behind the last one are ones, as padding is.
    let (mut bits, mut count) = (u64::MAX, 0u32);
    loop {
        // No word is longer than 30 bits.
        while count < 32
            && let Some((byte, after)) = rest.split_first()
        {
            if let Some((four, after)) = rest.split_first_chunk() {
                bits ^= u64::from(!u32::from_be_bytes(*four)) << (32 - count);
                (count, rest) = (count + 32, after);
            } else {
                bits ^= u64::from(!byte) << (56 - count);
                (count, rest) = (count + 8, after);
            }
        }
        let (symbol, length) = match SHORT[(bits >> 56) as usize] {
            (_, 0) => word((bits >> 32) as u32, 9, LONGEST)?,
            (symbol, length) => (symbol.into(), length.into()),
        };
        if length > count {
            // What is left over is the beginning of the end-of-string symbol: ones, fewer than eight.
            let padding = count < 8 && bits == u64::MAX;
            return padding.then_some(out);
        }
        if symbol == END || out.len() == limit {
            return None;
        }
        out.push(symbol as u8);
        bits = !(!bits << length);
        count -= length;
    }
}

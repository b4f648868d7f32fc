#pragma once

#include <string>
#include <string_view>

namespace evd::nn {

/// A caption as PixArt's authors hand it to T5, in training and in drawing: lower case, without web
/// addresses, HTML, @handles, CJK ideographs, file names, article numbers, sizes and words of shops
/// ("free shipping"), with plain quotes and dashes; all of it twice, since what one rule leaves
/// another may find (their T5Embedder, after DeepFloyd IF). A `prompt` that asks for written words
/// in capitals loses them. Bytes that are not UTF-8 become U+FFFD. The result is UTF-8 and may be
/// empty.
///
/// The result is that of diffusers' PixArtAlphaPipeline._clean_caption applied twice, with these
/// differences:
/// - white space at both ends goes before words are looked at too, as in the authors' code;
/// - text that was decoded by a wrong table ("Ã©" for "é") is not repaired, as ftfy would try to;
/// - HTML is read by rules of our own: broken tags, `&#` without a number, and the text of <ruby>
///   notes and <template> come out otherwise than from BeautifulSoup; of characters' names those of
///   HTML 4 are known;
/// - properties and composition of characters are utf8proc's.
[[nodiscard]] std::string cleaned_caption(std::string_view prompt);

}  // namespace evd::nn

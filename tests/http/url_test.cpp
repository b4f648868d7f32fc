#include "http/url.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "http/headers.hpp"

namespace evd::http {
namespace {

TEST(Url, KnowsLoopback) {
  for (const char* url : {"http://localhost/v1", "http://127.0.0.1:8000", "http://127.9.9.9/v1",
                          "https://[::1]:8443/v1"})
    EXPECT_TRUE(parse_url(url, "x").loopback) << url;
  for (const char* url :
       {"http://192.168.1.1/v1", "https://api.example.com/v1", "http://localhost.example.com/v1"})
    EXPECT_FALSE(parse_url(url, "x").loopback) << url;
  EXPECT_EQ(parse_url("https://api.example.com/v1", "x").port, 443);
  EXPECT_EQ(parse_url("http://h:81/v1", "x").port, 81);
}

TEST(Url, RefusesWhatCouldLeakOrMislead) {
  for (const char* url :
       {"", "rehearsal", "api.example.com/v1 x", "ftp://h/v1", "file:///etc/passwd",
        "https://me:secret@h/v1", "https://me@h/v1", "https://h/v1?key=secret", "https://h/v1#x"})
    EXPECT_THROW(static_cast<void>(parse_url(url, "base_url of x")), ConfigurationError) << url;
}

TEST(Url, TheMessageRepeatsNoPassword) {
  try {
    static_cast<void>(parse_url("https://me:hunter2@h/v1", "base_url of x"));
    FAIL();
  } catch (const ConfigurationError& error) {
    EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("base_url of x"), std::string::npos);
  }
}

TEST(Headers, RefuseInjection) {
  Headers headers;
  EXPECT_THROW(headers.add("Authorization", "Bearer x\r\nX-Other: y"), InternalError);
  EXPECT_THROW(headers.add("A\nB", "c"), InternalError);
}

}  // namespace
}  // namespace evd::http

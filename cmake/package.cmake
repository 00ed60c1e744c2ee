# SPDX-License-Identifier: Apache-2.0
# `cpack` makes a Debian package of what `cmake --install` installs. It depends on the libraries that its programs load,
# in the versions of the machine that builds it.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME statelib)
set(CPACK_PACKAGE_VENDOR "statelib")
set(CPACK_PACKAGE_CONTACT "the statelib maintainers <maintainers@statelib.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "library of the states of Mamba models")
set(CPACK_PACKAGE_DESCRIPTION
    "A Mamba model reads a document once and is left with a fixed-size state.
statelib keeps such states as a library: named, versioned, checked, compared
and shared, and loads them in milliseconds to answer from. A small model comes
with it.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS bash-completion)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
include(CPack)

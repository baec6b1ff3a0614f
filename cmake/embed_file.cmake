# Write OUT, a C file with every file of NAMES (|-separated, below ROOT), in the
# table TABLE (base/embed.h).
if(NOT TABLE)
	set(TABLE embedded_files)
endif()
set(code "#include \"base/embed.h\"\n\n")
set(rows "")
string(REPLACE "|" ";" names "${NAMES}")
set(n 0)
foreach(name ${names})
	file(READ ${ROOT}/${name} hex HEX)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
	string(APPEND code "static const unsigned char d${n}[] = {${hex}0};\n")
	string(APPEND rows "\t{\"${name}\", {d${n}, sizeof(d${n}) - 1}},\n")
	math(EXPR n "${n} + 1")
endforeach()
string(APPEND code "\nconst struct embedded_file ${TABLE}[] = {\n${rows}"
	"\t{0, {0, 0}},\n};\n")
file(WRITE ${OUT} "${code}")
